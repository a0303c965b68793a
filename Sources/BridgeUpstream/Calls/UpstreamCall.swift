import BridgeCore
import BridgeLink
import NIOCore

/// One call from the session worker: its exchange, its request, and how it is spelled upstream and back.
///
/// Confined to its event loop.
final class UpstreamCall {
    /// What ``Exchange/end(header:payload:)`` says of every answered call.
    private static let answered = JSONText(literal: #"{"ok":true}"#)
    private static let progress = JSONText(literal: #"{"t":"progress"}"#)
    private static let log = JSONText(literal: #"{"t":"log"}"#)

    /// What a log calls it.
    struct Names {
        let method: String
        /// The tool (or prompt) that it is about.
        let tool: String?
    }

    private let exchange: Exchange
    /// The request, and what it is counted by, until it has been written.
    private var message: RPCMessage?
    private var hold: PayloadHold?
    let octets: Int
    /// The request's id and progress token, as its client wrote them.
    let clientID: ByteBuffer
    private let clientToken: ByteBuffer?
    /// Kept only where finished calls are logged.
    let names: Names?
    let arrived: NIODeadline
    weak var owner: (any UpstreamCallOwner)?
    /// Its id upstream, once it has one.
    var id = 0
    /// The newest progress that the exchange had no room for.
    private var heldProgress: ByteBuffer?

    /// Takes the exchange's payload.
    ///
    /// - Parameter isLogged: whether its names will be asked for when it has ended.
    /// - Returns: `nil` when the exchange carries no request; then its payload is left to it.
    init?(_ exchange: Exchange, isLogged: Bool, now: NIODeadline) {
        guard let payload = exchange.payload, payload.readableBytes > 0,
            let message = try? RPCMessage(JSONText(trusting: payload)),
            message.shape == .request, let id = message.id
        else { return nil }
        self.exchange = exchange
        self.message = message
        self.hold = exchange.takePayload().hold
        self.octets = payload.readableBytes
        self.clientID = message.text[id].bytes.toKeep
        self.clientToken = Self.progressToken(of: message).map { message.text[$0].bytes.toKeep }
        self.names = isLogged ? Names(method: message.method ?? "", tool: Self.toolName(of: message)) : nil
        self.arrived = now
    }

    private static func toolName(of message: RPCMessage) -> String? {
        message.name.flatMap { message.text[$0].string }
    }
    private static func progressToken(of message: RPCMessage) -> JSONSpan? {
        message.progressToken.flatMap { $0.kind == .string || $0.kind == .number ? $0 : nil }
    }
    /// As the front named it, for the log.
    var requestID: String { self.exchange.header.string("rid") ?? "" }
    /// A short digest of the client's session, for the log.
    var session: String? { self.exchange.header.string("sess") }
    /// The tool (or prompt) that it is about; not known any more once it has been written.
    var toolName: String? { self.message.flatMap(Self.toolName) }
    /// As the caller asked for it.
    var timeout: TimeAmount? {
        self.exchange.header.int("tmo").flatMap { $0 > 0 ? .milliseconds(Int64(min($0, 1 << 40))) : nil }
    }

    /// Appends the request as one line, under our id and, where the client wants progress, our progress token, and lets go
    /// of it.
    ///
    /// - Parameter scratch: room for the id's digits, kept between calls.
    /// - Returns: what the line is counted by until it has left.
    func writeLine(to buffer: inout ByteBuffer, scratch: inout ByteBuffer) -> PayloadHold? {
        guard let message = self.message, let id = message.id else { return nil }
        scratch.clear()
        scratch.writeString(String(self.id))
        let start = buffer.writerIndex
        buffer.reserveCapacity(minimumWritableBytes: self.octets + 64)
        if let token = Self.progressToken(of: message) {
            message.text.write(to: &buffer, replacing: id, with: scratch, and: token, with: scratch)
        } else {
            message.text.write(to: &buffer, replacing: id, with: scratch)
        }
        buffer.joinLines(from: start)
        buffer.writeLineEnd()
        self.message = nil
        defer { self.hold = nil }
        return self.hold
    }

    // MARK: The way back

    /// Ends the exchange with the upstream's response, under the client's id.
    ///
    /// - Returns: false when the result is too large to travel; the caller has been told so.
    func answer(_ response: RPCMessage, id: JSONSpan) -> Bool {
        guard response.text.count - id.count + self.clientID.readableBytes <= Frame.maximumPayload else { return false }
        var buffer = ByteBuffer()
        response.text.write(to: &buffer, replacing: id, with: self.clientID)
        self.exchange.end(header: Self.answered, payload: buffer)
        return true
    }

    /// Ends the exchange with an error that the bridge makes.
    func fail(_ error: CallError, upstream: String) {
        let header = JSONWriter.object {
            $0.member("ok", true)
            $0.member("err", error.word)
        }
        self.exchange.end(header: header, payload: error.reply(to: self.clientID, upstream: upstream))
    }

    /// Passes a progress notification on under the client's token, or holds it until there is room; an older one that is
    /// held gives way.
    ///
    /// - Parameter token: of the notification, ours.
    func progress(_ notification: RPCMessage, token: JSONSpan) {
        guard let clientToken = self.clientToken else { return }
        var buffer = ByteBuffer()
        notification.text.write(to: &buffer, replacing: token, with: clientToken)
        if self.exchange.isWritable {
            self.heldProgress = nil
            self.exchange.send(header: Self.progress, payload: buffer)
        } else {
            self.heldProgress = buffer
        }
    }

    /// Passes a log notification on; dropped when there is no room.
    func log(_ notification: RPCMessage) {
        guard self.exchange.isWritable else { return }
        self.exchange.send(header: Self.log, payload: notification.text.bytes)
    }

    /// From here on it hears of its exchange.
    func attach() {
        self.exchange.delegate = self
    }
}

extension UpstreamCall: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.owner?.callAbandoned(self, reason: "the caller went away")
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        switch failure {
        case .cancelled(let reason): self.owner?.callAbandoned(self, reason: reason)
        case .linkLost, .overloaded: self.owner?.callAbandoned(self, reason: "the caller went away")
        }
    }

    func exchangeBecameWritable(_ exchange: Exchange) {
        guard let held = self.heldProgress else { return }
        self.heldProgress = nil
        exchange.send(header: Self.progress, payload: held)
    }
}

/// Hears that nobody waits for a call any more.
protocol UpstreamCallOwner: AnyObject {
    func callAbandoned(_ call: UpstreamCall, reason: String)
}
