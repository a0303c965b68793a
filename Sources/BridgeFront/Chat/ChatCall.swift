import BridgeAccess
import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeLink
import Logging
import NIOCore

/// One request of the model APIs, from its head to the end of its answer: a plain object that is called when something
/// happens. Confined to the event loop.
///
/// It reads the client's dialect, and speaks it: in every answer and in every refusal, those of the door included. Who answers
/// is the session worker's to find; tokens of the sandbox are answered here.
final class ChatCall: OwnRequest {
    let state: FrontState
    let connection: ClientConnection
    let target: ChatTarget
    let dialect: ChatDialect
    let verdict: HeadVerdict
    var machine = ChatMachine()
    let requestID: String

    // What was asked.
    var request = ChatRequest(model: "")
    /// Whether its body has been read, so that logs tell of it.
    var isRead = false
    private(set) var isUnderstood = false
    /// Of its body, while it may still have to be logged.
    var received: ChatRecord.Excerpt?
    var requestBytes = 0
    /// What its body is counted by.
    var hold: PayloadHold?

    /// When it came, in seconds since 1970.
    let created = WallClock.seconds()

    // Who answers.
    /// What the session worker is told beside the params.
    var inquiry: ChatAsk?
    /// When it has taken too long, whatever it waits for.
    private var deadline: NIODeadline?
    var exchange: Exchange?
    /// What it is asked. Kept while it may have to be asked again.
    var payload: (bytes: ByteBuffer, hold: PayloadHold?)?
    var turn: ChatDesk.Turn?
    var workerTimer: Scheduled<Void>?
    var sandboxTimer: Scheduled<Void>?
    var turnTimer: Scheduled<Void>?

    // The answer.
    var stream: ChatStream?
    var keepAliveTimer: Scheduled<Void>?
    var responseBytes = 0
    /// Tokens of models in all rounds together, once there is an answer.
    private(set) var used: (input: Int, output: Int)?
    var isCounted = false
    private var isRecorded = false

    let contentLength: Int?
    var collector: BodyCollector
    var ticket: UInt64?
    var refusal: Refusal?
    private let start: NIODeadline
    private var isStarted = false

    init(
        _ connection: ClientConnection, _ target: ChatTarget, _ verdict: HeadVerdict, contentLength: Int?
    ) {
        let state = connection.state
        self.state = state
        self.connection = connection
        self.target = target
        self.dialect = target.dialect(verdict.fields)
        self.verdict = verdict
        self.contentLength = contentLength
        self.requestID = state.nextRequestID().description
        self.refusal = verdict.refusal
        self.start = state.clock.now
        self.collector = BodyCollector(expected: contentLength, limit: state.configuration.limits.maximumChatBytes)
    }

    var payer: String { "chat:\(self.verdict.principal)" }

    var elapsed: TimeAmount { self.state.clock.now - self.start }

    /// How long it may still take; nil is without limit.
    var timeLeft: TimeAmount? { self.deadline.map { $0 - self.state.clock.now } }
    var isOverdue: Bool { self.timeLeft.map { $0 <= .zero } ?? false }

    // MARK: What the client sends

    func begin() {
        guard self.refusal == nil else { return }
        self.beginCounting()
        if let until = self.token?.until { self.state.watch.watch(until) }
        if self.target.isPosted, self.verdict.fields.expectsContinue { self.connection.sendContinue() }
    }

    func take(_ part: ByteBuffer) {
        guard self.target.isPosted, self.refusal == nil, !self.machine.isOver else { return }
        self.collect(part, orElse: .chatTooLarge(limit: self.state.configuration.limits.maximumChatBytes))
    }

    func complete() {
        guard self.target.isPosted, self.refusal == nil, !self.machine.isOver else { return self.settle() }
        let body = self.collector.finish()
        self.isStarted = true
        self.deadline = self.state.configuration.chatTimeout.map { self.state.clock.now + $0.timeAmount }
        self.requestBytes = body.bytes.readableBytes
        self.hold = body.hold
        do throws(ChatFault) {
            try self.read(body.bytes)
        } catch {
            self.noteReceived(body.bytes)
            return self.tell(error)
        }
        self.noteReceived(body.bytes)
        self.serve()
    }

    func settle() {
        if let refusal {
            self.refusal = nil
            self.tell(refusal)
        } else if !self.target.isPosted, !self.isStarted, !self.machine.isOver {
            self.isStarted = true
            self.passWithinLimits { $0.listModels() }
        }
    }

    private func read(_ bytes: ByteBuffer) throws(ChatFault) {
        let limit = self.state.configuration.limits.maximumChatBytes
        let text: JSONText
        do {
            text = try JSONText(validating: bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            throw ChatFault(.invalidRequest, "The body is not JSON: \(error)")
        }
        self.request = try self.dialect.request(from: text)
        self.isUnderstood = true
    }

    /// Everything is there.
    private func serve() {
        if case .count = self.target {
            // Clients ask this dozens of times at once. It costs nobody anything, and so it is nobody's to limit.
            return self.answer(TokenEstimate.body(of: self.request))
        }
        if let token, !token.models.match(self.request.modelName) {
            return self.tell(
                ChatFault(
                    .modelNotAllowed, "The token may not use the model '\(self.request.modelName)'", param: "model"))
        }
        self.passWithinLimits { $0.waitForTurn() }
    }

    // MARK: The end

    /// Lets go of everything that is waited for.
    func release() {
        for timer in [self.workerTimer, self.sandboxTimer, self.turnTimer, self.keepAliveTimer] { timer?.cancel() }
        self.workerTimer = nil
        self.sandboxTimer = nil
        self.turnTimer = nil
        self.keepAliveTimer = nil
        self.exchange = nil
        self.payload = nil
        self.hold = nil
        self.withdrawWish()
        if let turn {
            self.turn = nil
            self.state.chat.end(turn)
        }
    }

    /// An answer has been made, whether it can be used or not.
    func countAnswer(_ usage: ChatUsage) {
        self.used = (self.used?.input ?? usage.input, (self.used?.output ?? 0) + usage.output)
        self.spend(usage.output)
    }

    /// A further round begins, with so much to read.
    func countRound(_ tokens: Int) {
        self.used?.input += tokens
        self.spend(tokens)
    }

    /// What is recorded is recorded once.
    func beginsRecord() -> Bool {
        defer { self.isRecorded = true }
        return !self.isRecorded
    }
}

// MARK: What becomes of the connection

extension ChatCall {
    /// Unlike a call of MCP it is then worth nothing to anybody: whoever works on it is told to stop.
    func clientGone() {
        let hasBegun = self.machine.isStreaming
        guard self.machine.clientGone() else { return }
        self.state.clock.refresh()
        self.cancel("client gone")
        self.uncount()
        if hasBegun { self.state.metrics.openStreams -= 1 }
        self.record(hasBegun ? 200 : Self.clientClosed, failure: FrontRequest.gone)
        self.release()
    }

    /// What is under way is finished.
    func connectionDrains() {}

    func tokenIsOver() {
        self.cancel("token is over")
        self.tell(.tokenNotGood)
    }

    /// nginx's word for a client that did not wait; it is logged and never sent.
    private static let clientClosed = 499
}
