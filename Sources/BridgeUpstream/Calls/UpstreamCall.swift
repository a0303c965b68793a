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

    private let exchange: Exchange
    private let message: RPCMessage
    private let idSpan: JSONSpan
    let arrived: NIODeadline
    weak var owner: (any UpstreamCallOwner)?
    /// Its id upstream, once it has one.
    var id = 0
    /// The newest progress that the exchange had no room for.
    private var heldProgress: ByteBuffer?

    /// - Returns: `nil` when the exchange carries no request.
    init?(_ exchange: Exchange, now: NIODeadline) {
        guard let payload = exchange.payload, payload.readableBytes > 0,
            let message = try? RPCMessage(JSONText(trusting: payload)),
            message.shape == .request, let id = message.id
        else { return nil }
        self.exchange = exchange
        self.message = message
        self.idSpan = id
        self.arrived = now
    }

    var octets: Int { self.message.text.count }
    var clientID: ByteBuffer { self.message.text[self.idSpan].bytes }
    /// As the front named it, for the log.
    var requestID: String { self.exchange.header.string("rid") ?? "" }
    /// A short digest of the client's session, for the log.
    var session: String? { self.exchange.header.string("sess") }
    var method: String { self.message.method ?? "" }
    /// The tool (or prompt) that it is about.
    var toolName: String? { self.message.name.flatMap { self.message.text[$0].string } }
    /// As the caller asked for it.
    var timeout: TimeAmount? {
        self.exchange.header.int("tmo").flatMap { $0 > 0 ? .milliseconds(Int64(min($0, 1 << 40))) : nil }
    }

    /// Appends the request as one line, under our id and, where the client wants progress, our progress token.
    ///
    /// - Parameter scratch: room for the id's digits, kept between calls.
    func writeLine(to buffer: inout ByteBuffer, scratch: inout ByteBuffer) {
        scratch.clear()
        scratch.writeString(String(self.id))
        let start = buffer.writerIndex
        if let token = self.progressToken {
            self.message.text.write(to: &buffer, replacing: self.idSpan, with: scratch, and: token, with: scratch)
        } else {
            self.message.text.write(to: &buffer, replacing: self.idSpan, with: scratch)
        }
        buffer.joinLines(from: start)
        buffer.writeLineEnd()
    }

    private var progressToken: JSONSpan? {
        guard let token = self.message.progressToken, token.kind == .string || token.kind == .number else { return nil }
        return token
    }

    // MARK: The way back

    /// Ends the exchange with the upstream's response, under the client's id.
    ///
    /// - Returns: false when the result is too large to travel; the caller has been told so.
    func answer(_ response: RPCMessage, id: JSONSpan) -> Bool {
        let clientID = self.clientID
        guard response.text.count - id.count + clientID.readableBytes <= Frame.maximumPayload else { return false }
        var buffer = ByteBuffer()
        response.text.write(to: &buffer, replacing: id, with: clientID)
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
        guard let clientToken = self.progressToken else { return }
        var buffer = ByteBuffer()
        notification.text.write(to: &buffer, replacing: token, with: self.message.text[clientToken].bytes)
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
