import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
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

    /// When it last began to wait for its upstream.
    private(set) var waitingSince = NIODeadline.now()

    private let patience: TimeAmount
    private let header: JSONText
    /// What is sent, and what that is counted by. Kept only while it may have to be sent.
    private var message: ByteBuffer?
    private var hold: PayloadHold?
    /// Whether it may be sent a second time after a worker died with it.
    private var mayRepeat: Bool
    /// A worker that may have had it is gone. From then on nobody is told that it did not run.
    private var mayHaveRun = false
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
        hold: PayloadHold?,
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
        self.hold = hold
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
        self.waitingSince = .now()
        self.exchange = self.upstream.open(
            header: self.header, payload: self.message, hold: self.hold, delegate: self)
        guard !self.mayRepeat else { return }
        self.message = nil
        self.hold = nil
    }

    /// The client does not want it any more, or it took too long: cancelled upstream, answered here.
    func abort(_ error: BridgeError) {
        guard let exchange = self.exchange else { return }
        exchange.cancel(reason: error.word)
        self.fail(error)
    }

    private func finish(_ answer: ByteBuffer, failure: String?) {
        guard self.exchange != nil else { return }
        self.exchange = nil
        self.upstream.callsInFlight -= 1
        self.onDone(self)
        self.stream.reply(answer, failure: failure)
    }

    private func fail(_ error: BridgeError) {
        let told = self.mayHaveRun && error.saysItDidNotRun ? .outcomeUnknown(self.upstream.route.name) : error
        self.finish(told.reply(to: self.id.bytes), failure: told.word)
    }
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
        let failure = header.string("err")
        guard let payload else { return self.fail(.internalError) }
        if self.mayHaveRun, let failure, BridgeError.saysItDidNotRun(failure) {
            // So it is of the second attempt, and only of that.
            return self.fail(.outcomeUnknown(self.upstream.route.name))
        }
        let fitted = ResultFitting.fitted(payload, to: self.session.claims.revision)
        self.finish(fitted ?? payload, failure: failure)
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        switch failure {
        case .linkLost(let sent):
            if sent { self.mayHaveRun = true }
            guard !self.upstream.isClosed else {
                return self.fail(.unavailable(self.upstream.route.name, "it has been removed"))
            }
            guard !sent || self.mayRepeat else { return self.fail(.outcomeUnknown(self.upstream.route.name)) }
            if sent {
                self.mayRepeat = false
            } else if self.message == nil {
                (self.message, self.hold) = exchange.takePayload()
            }
            self.send()
        case .overloaded, .cancelled(reason: ExchangeFailure.tooMany):
            self.fail(.overloaded)
        case .cancelled(reason: ExchangeFailure.noMemory):
            self.fail(.noMemory)
        case .cancelled(reason: ExchangeFailure.tooLarge):
            self.fail(.tooLarge(self.upstream.route.name))
        case .cancelled:
            // A worker that has it and gives no word of its own: what it did is not known.
            self.fail(.outcomeUnknown(self.upstream.route.name))
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
