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
    let stream: ClientStream
    private(set) var upstream: UpstreamLink

    let desk: CallDesk
    private var header: JSONText
    /// What is sent, and what that is counted by. Kept only while it may have to be sent.
    private var message: ByteBuffer?
    private var hold: PayloadHold?
    /// Whether it may be sent a second time after a worker died with it, and to whoever else may have what it asks for.
    private var mayRepeat: Bool
    /// Whether this server has had it a second time.
    private var isRepeated = false
    /// A worker that may have had it is gone. From then on nobody is told that it did not run.
    private(set) var mayHaveRun = false
    private var exchange: Exchange?
    /// Whether it is one of the calls that its principal may have so many of.
    var isCounted = false
    private let limit: Seconds
    private let patience: TimeAmount
    /// Without an answer or progress by then, it fails. Moved on by progress.
    var deadline: NIODeadline
    /// What its client is asked, from the first question on.
    var asked: CallQuestions?
    /// What its client is told while it is asked; nil where it does not want to know of progress, or cannot be asked.
    var waiting: WaitingProgress?
    /// The longest that its client may take to answer; the upstream's worker counts that itself.
    let questionTime: TimeAmount
    private let began: NIODeadline
    private var isServersError = false
    /// When it last began to wait for its upstream.
    private var waitingSince: NIODeadline
    private let extras: CallExtras?
    private let hasContent: Bool

    /// The upstream's worker counts the timeout itself; this side only catches a worker that does not.
    private static let grace = TimeAmount.seconds(5)

    init(
        _ request: borrowing PendingRequest, along route: borrowing CallRoute, of desk: CallDesk, header: JSONText,
        now: NIODeadline
    ) {
        self.id = request.id
        self.stream = request.stream
        self.upstream = route.upstream
        self.extras = route.extras
        self.hasContent = route.hasContent
        self.desk = desk
        self.header = header
        self.message = request.message.text.bytes
        self.hold = request.hold
        self.limit = route.timeout
        self.patience = route.timeout.timeAmount + Self.grace
        self.questionTime = route.upstream.route.questionTimeout.timeAmount + Self.grace
        self.deadline = now + self.patience
        self.began = now
        self.waitingSince = now
        self.mayRepeat = route.mayRepeat
        if request.caller.canBeAsked {
            self.waiting = WaitingProgress(of: request.message, by: request.caller.revision, now: now)
        }
        self.course?.call = self
    }

    var caller: Caller { self.stream.caller }
    /// Of one about a task.
    var course: (any CallCourse)? { self.extras?.course }

    func start() {
        self.caller.add(self)
        self.upstream.callBegan()
        self.send()
    }

    private func send() {
        // It may have to be kept for some time, and would keep all that it came with.
        if self.mayRepeat || !self.upstream.isConnected { self.message = self.message?.withoutSurplus }
        self.exchange = self.upstream.open(
            header: self.header, payload: self.message, hold: self.hold, delegate: self)
        guard !self.mayRepeat else { return }
        self.message = nil
        self.hold = nil
    }

    /// Its client does not want it any more: cancelled upstream, and not answered (basic/utilities/cancellation).
    func cancel(reason: String) {
        guard let exchange = self.exchange else { return }
        self.handQuestionsOver()
        self.asksNoMore()
        exchange.cancel(reason: reason)
        self.upstream.tally.count(.cancelled, after: .zero)
        self.leave(nil)
        self.stream.drop()
    }

    /// It took too long: cancelled upstream, answered here.
    private func abort(_ fault: ToldFault) {
        guard let exchange = self.exchange else { return }
        self.handQuestionsOver()
        exchange.cancel(reason: fault.word)
        self.fail(fault)
    }

    /// Its session is over, or whoever asked is: the same, and nobody else's matter.
    func end(_ fault: ToldFault) {
        guard let exchange = self.exchange else { return }
        exchange.cancel(reason: Fault.cancelled.word)
        self.fail(fault, isShared: false)
    }

    /// A call waits 10 seconds for a worker that is away: longer than any but a worker that fails again and again takes.
    private static let workerPatience = TimeAmount.seconds(10)

    func abortIfOverdue(now: NIODeadline) {
        self.tellThatItWaits(now: now)
        self.giveUpQuestions(now: now)
        if self.deadline <= now {
            self.abort(self.course?.lateness ?? .timeout(self.upstream.route.name, after: self.limit))
        } else if !self.upstream.isConnected, now - self.waitingSince > Self.workerPatience {
            self.abort(.unavailable(self.upstream.route.name, "its worker has not run for 10 s, a fixed limit"))
        }
    }

    /// - Parameter isShared: whether it is also the answer of whoever waits for the same.
    func finish(_ answer: ByteBuffer, failure: String?, isShared: Bool = true) {
        guard self.exchange != nil else { return }
        let ending: CallTally.Ending = failure.map { .fault($0) } ?? (self.isServersError ? .error : .result)
        self.upstream.tally.count(ending, after: .now() - self.began)
        self.leave(isShared ? answer : nil)
        self.stream.reply(answer, failure: failure)
    }

    private func leave(_ answer: ByteBuffer?) {
        self.exchange = nil
        self.asksNoMore()
        self.course?.callEnded()
        self.caller.remove(self)
        self.desk.callEnded(self)
        self.upstream.callEnded()
        self.extras?.onEnd?(answer)
    }

    private func fail(_ fault: ToldFault, isShared: Bool = true) {
        let isWrong = self.mayHaveRun && fault.fault.effect == .didNotRun
        let told = isWrong ? .outcomeUnknown(self.upstream.route.name) : fault
        self.finish(told.reply(to: self.id.bytes), failure: told.word, isShared: isShared)
    }
}

extension Call: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        var payload = payload ?? ByteBuffer()
        if let course = self.course, payload.readableBytes > 0 { payload = course.said(payload) }
        switch UpstreamMessage(header) {
        case .progress:
            self.goesOn()
            self.tell(progress: payload)
        case .log:
            if self.caller.wants(LogMessage.severity(of: payload)) { self.stream.notify(payload) }
        case .ask(let number): self.ask(number, payload)
        case .withdraw(let number): self.withdraw(number)
        case nil:
            break
        }
    }

    /// The server tells of its progress.
    func tell(progress: ByteBuffer) { self.stream.notify(self.waiting?.heard(progress, now: .now()) ?? progress) }

    /// Its time begins anew.
    func clockGoesOn() { self.deadline = .now() + self.patience }

    /// Whoever has been asked something is not asked it again: it is never repeated, and nobody else is tried.
    func hasAsked() {
        self.mayRepeat = false
        self.message = nil
        self.hold = nil
        self.extras?.others = []
    }

    /// Tells the server something that its client says; dropped where there is no room.
    func pass(_ note: ByteBuffer) { if self.exchange?.isWritable == true { self.say(.note, note) } }

    /// Says something to the upstream's worker.
    func say(_ answer: QuestionAnswer, _ payload: ByteBuffer? = nil) {
        self.exchange?.send(header: answer.text, payload: payload)
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        let end = UpstreamEnd(header)
        let failure = end?.failure
        self.handQuestionsOver()
        guard var payload else { return self.fail(.internalError) }
        if self.mayHaveRun, let failure, self.desk.saysItDidNotRun(failure) {
            // So it is of the second attempt, and only of that.
            return self.fail(.outcomeUnknown(self.upstream.route.name))
        }
        if let course = self.course {
            // Another request may follow, and nobody is asked for this one any more.
            self.asksNoMore()
            switch course.answered(payload, end ?? UpstreamEnd()) {
            case .answer(let answer): payload = answer
            case .fail(let fault): return self.fail(fault)
            case .goOn: return
            }
        }
        var answer = payload
        self.isServersError = end?.isError == true
        if self.isServersError, let fitted = self.desk.fitted(error: payload, of: self) { answer = fitted }
        if let extras = self.extras, let uri = extras.uri, ResourceMentions.isNotFound(payload, uri: uri) {
            // Nothing may be all there is.
            if extras.emptyAnswer == nil, JSONText(trusting: payload).member("result") != nil {
                extras.emptyAnswer = payload
            }
            if self.mayRepeat, let next = extras.others.popFirst() { return self.ask(next: next) }
            answer = extras.emptyAnswer ?? payload
        }
        if failure == Fault.upstreamUnavailable.word, self.invites(answer) { return }
        let uri = self.extras?.uri
        if self.hasContent || uri != nil { self.desk.note(answer, of: uri, for: self.caller, from: self.upstream) }
        guard self.hasContent else { return self.finish(answer, failure: failure) }
        self.finish(ResultFitting.fitted(answer, to: self.caller.revision) ?? answer, failure: failure)
    }

    /// It goes on with another request to the same server (``CallStep/goOn``).
    ///
    /// - Parameter hasRun: whether from now on nobody is to be told that nothing ran.
    func ask(_ message: ByteBuffer, header: JSONText, hasRun: Bool) {
        guard self.exchange != nil else { return }
        self.message = message
        self.header = header
        self.mayRepeat = true
        self.isRepeated = false
        self.mayHaveRun = self.mayHaveRun || hasRun
        self.waitingSince = .now()
        self.send()
    }

    /// It is answered with this, later than its server has said so (``CallStep/goOn``).
    func conclude(_ answer: ByteBuffer) { self.finish(answer, failure: nil) }

    /// There is a sign that it goes on: its time begins anew.
    func goesOn() { self.deadline = max(self.deadline, .now() + self.patience) }

    /// This one has no such resource; another may. Reading does no harm.
    private func ask(next: UpstreamLink) {
        self.upstream.callEnded()
        self.upstream = next
        self.upstream.callBegan()
        self.mayHaveRun = false
        self.isRepeated = false
        self.waitingSince = .now()
        self.extras?.onNext?(next)
        self.send()
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        switch failure {
        case .linkLost(let sent):
            if sent { self.mayHaveRun = true }
            guard !self.upstream.isClosed else {
                return self.fail(.unavailable(self.upstream.route.name, "it has been removed"))
            }
            guard !sent || self.mayRepeat && !self.isRepeated else {
                return self.fail(.outcomeUnknown(self.upstream.route.name))
            }
            if sent {
                self.isRepeated = true
            } else if self.message == nil {
                (self.message, self.hold) = exchange.takePayload()
            }
            self.waitingSince = .now()
            self.send()
        case .overloaded, .cancelled(reason: ExchangeFailure.tooMany):
            self.fail(.tooManyExchanges)
        case .cancelled(reason: ExchangeFailure.noMemory):
            self.fail(.noMemory(self.desk.workerBytes))
        case .cancelled(reason: ExchangeFailure.tooLarge):
            self.fail(.tooLarge(self.upstream.route.name))
        case .cancelled:
            // A worker that has it and gives no word of its own: what it did is not known.
            self.fail(.outcomeUnknown(self.upstream.route.name))
        }
    }
}
