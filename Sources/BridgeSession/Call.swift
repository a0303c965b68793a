import BridgeCore
import BridgeLink
import NIOCore

/// One request on its way through an upstream. It gets exactly one answer, whatever becomes of the processes it passes.
///
/// Confined to the event loop.
final class Call {
    let id: RPCID
    let session: LiveSession
    let stream: ClientStream
    let upstream: UpstreamLink
    /// Without an answer or progress by then, it fails. Moved on by progress.
    private(set) var deadline: NIODeadline

    /// When it began to wait for its upstream.
    let started = NIODeadline.now()

    private let patience: TimeAmount
    private let header: JSONText
    private let message: ByteBuffer
    /// Whether it may be sent a second time after a worker died with it.
    private var mayRepeat: Bool
    private var exchange: Exchange?
    private let onDone: (Call) -> Void

    /// The upstream's worker counts the timeout itself; this side only catches a worker that does not.
    private static let grace = TimeAmount.seconds(5)

    init(
        id: RPCID,
        session: LiveSession,
        stream: ClientStream,
        upstream: UpstreamLink,
        header: JSONText,
        message: ByteBuffer,
        timeout: Seconds,
        mayRepeat: Bool,
        onDone: @escaping (Call) -> Void
    ) {
        self.id = id
        self.session = session
        self.stream = stream
        self.upstream = upstream
        self.header = header
        self.message = message
        self.patience = timeout.timeAmount + Self.grace
        self.deadline = .now() + self.patience
        self.mayRepeat = mayRepeat
        self.onDone = onDone
    }

    func start() {
        self.upstream.callsInFlight += 1
        self.send()
    }

    private func send() {
        self.exchange = self.upstream.open(header: self.header, payload: self.message, delegate: self)
    }

    /// The client does not want it any more, or it took too long: cancelled upstream, answered here.
    func abort(_ error: BridgeError) {
        guard let exchange = self.exchange else { return }
        exchange.cancel(reason: error.word)
        self.finish(error.reply(to: self.id.bytes), failure: error.word)
    }

    private func finish(_ answer: ByteBuffer, failure: String?) {
        guard self.exchange != nil else { return }
        self.exchange = nil
        self.upstream.callsInFlight -= 1
        self.onDone(self)
        self.stream.reply(answer, failure: failure)
    }

    private func fail(_ error: BridgeError) { self.finish(error.reply(to: self.id.bytes), failure: error.word) }
}

extension Call: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        guard let payload else { return }
        switch header.string("t") {
        case "progress":
            self.deadline = .now() + self.patience
            self.stream.notify(payload)
        case "log":
            if self.session.wants(LogMessage.severity(of: payload)) { self.stream.notify(payload) }
        default:
            break
        }
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        if let payload { self.finish(payload, failure: header.string("err")) } else { self.fail(.internalError) }
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        switch failure {
        case .linkLost(sent: false) where self.upstream.isClosed:
            self.fail(.unavailable(self.upstream.route.name, "it has been removed"))
        case .linkLost(sent: false):
            self.send()
        case .linkLost(sent: true) where self.mayRepeat && !self.upstream.isClosed:
            self.mayRepeat = false
            self.send()
        case .linkLost:
            self.fail(.outcomeUnknown(self.upstream.route.name))
        case .overloaded, .cancelled(reason: "overloaded"):
            self.fail(.overloaded)
        case .cancelled(reason: ExchangeFailure.tooLarge):
            self.fail(.tooLarge(self.upstream.route.name))
        case .cancelled(let reason):
            self.fail(.unavailable(self.upstream.route.name, reason))
        }
    }
}

enum LogMessage {
    /// The severity of a `notifications/message`, the mildest when it has none that we know; nil for any other message.
    static func severity(of message: ByteBuffer) -> LogSeverity? {
        let message = JSONText(trusting: message)
        guard message.string("method") == "notifications/message" else { return nil }
        return message.value("params")?.string("level").flatMap(LogSeverity.init(rawValue:)) ?? .debug
    }
}
