import BridgeConfiguration
import BridgeCore
import BridgeLink
import Glibc
import NIOCore

/// One way to a server, from its start until nothing of it is left: a child with its pipes, for one.
///
/// It carries JSON-RPC messages and does not look at what they say. How they are framed is its own business. Confined to
/// its event loop.
protocol Connection: AnyObject {
    var delegate: (any ConnectionDelegate)? { get set }
    /// Of the process at its other end, where there is one.
    var pid: pid_t? { get }
    /// What does not hold although it was configured, for people.
    var notes: [String] { get }
    /// By which transport the server was found to speak, as it is written in a configuration; `nil` where nobody had to look.
    var foundTransport: String? { get }
    /// Whether what the server says is read. While it is not, the server has to wait.
    var isReading: Bool { get set }
    /// False while it takes no more, and when it is not open.
    var isWritable: Bool { get }
    /// Whether it takes what the bridge says for itself: pings and answers, without which calls may never end.
    var takesOwnWords: Bool { get }

    func start()

    /// Takes one message, which leaves with the next ``flush()``. From now on the server may have seen it.
    ///
    /// - Parameters:
    ///   - edits: what is replaced in it, in ascending order.
    ///   - request: the message's id, where it is a request.
    ///   - hold: let go of once the bytes have left, or cannot any more.
    func send(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, hold: PayloadHold?)

    func flush()

    /// Nobody waits any more for the answer to a request.
    func giveUp(_ request: Int)

    /// Requests that it has taken, and that the server has certainly not acted upon.
    var unsentRequests: [Int] { get }

    /// A text without what this connection tells the server in confidence.
    func masked(_ text: String) -> String

    /// Takes a changed configuration, as far as it can be taken without connecting anew.
    func adopt(_ configuration: UpstreamConfiguration)

    /// Ends it and all that belongs to it. Saying it again with ``EndManner/now`` makes it faster.
    func end(_ manner: EndManner)
}

extension Connection {
    var foundTransport: String? { nil }
    var takesOwnWords: Bool { self.isWritable }
    func masked(_ text: String) -> String { text }
    func giveUp(_ request: Int) {}
    var unsentRequests: [Int] { [] }
    func adopt(_ configuration: UpstreamConfiguration) {}

    /// Takes one message of the bridge's own.
    func send(_ message: JSONText, request: Int? = nil) {
        self.send(message, replacing: [], request: request, hold: nil)
    }
}

/// How much time a server gets to leave.
enum EndManner {
    /// It is asked to, and has a moment.
    case politely
    /// It is lost, or not worth waiting for.
    case promptly
    case now
}

/// Why there will be no answer to a request.
struct RequestLoss: Equatable {
    let reason: String
    /// False where it is certain that the server has not acted upon it.
    let sent: Bool
    /// In how many seconds the server wants to be asked again, where it has said so.
    var retryAfter: Int?
}

/// Hears of one connection, on the event loop.
protocol ConnectionDelegate: AnyObject {
    /// Messages may be sent.
    func connectionOpened(_ connection: any Connection)

    /// The server said something, a piece of a message perhaps. What messages that makes is told next.
    func connectionSpoke(_ connection: any Connection)

    /// - Parameter request: what it came in answer to, where the connection can tell: the request's own answer, or
    ///   whatever else the server says while it is at that request.
    func connection(_ connection: any Connection, received message: JSONText, answering request: Int?)

    /// Something came that is no message, or not only.
    ///
    /// - Parameter request: what it came in answer to, where the connection can tell. There will be no other answer.
    func connection(_ connection: any Connection, couldNotRead what: Unreadable, answering request: Int?)

    func connectionBecameWritable(_ connection: any Connection)

    /// There will be no answer to one request, and the connection goes on.
    func connection(_ connection: any Connection, lost request: Int, _ loss: RequestLoss)

    /// The server has not acted upon a request, and wants to have it again after a time.
    ///
    /// - Returns: whether whoever waits for its answer waits for so long.
    func connection(_ connection: any Connection, mayHold request: Int, for time: TimeAmount) -> Bool

    /// The server wants to be greeted later, and is: nothing else is sent before that.
    ///
    /// - Parameter seconds: in how many.
    func connectionWaits(_ connection: any Connection, reason: String, for seconds: Int)

    /// It could not be opened, or is closed. Said at most once, and not after ``Connection/end(_:)``.
    ///
    /// - Parameter retryAfter: in how many seconds the server wants to be asked again, where it has said so.
    func connectionLost(_ connection: any Connection, reason: String, retryAfter: Int?)

    /// The server has forgotten what was agreed upon, and the connection goes on: the server is to be greeted again. What
    /// is sent before that is over waits.
    ///
    /// - Parameter refusesRevision: whether the server does not want the revision that it had agreed to.
    func connectionLostSession(_ connection: any Connection, refusesRevision: Bool)

    /// As ``connectionLost(_:reason:retryAfter:)``: the server answers nobody who has not signed in.
    func connectionNeedsSignIn(_ connection: any Connection, reason: String)

    /// Nothing of it is left. Said once, after ``Connection/end(_:)``; the last call.
    func connectionEnded(_ connection: any Connection)
}

extension ConnectionDelegate {
    func connectionLost(_ connection: any Connection, reason: String) {
        self.connectionLost(connection, reason: reason, retryAfter: nil)
    }

    func connectionWaits(_ connection: any Connection, reason: String, for seconds: Int) {}
}
