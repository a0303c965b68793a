import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

// What a server asks its client in the middle of a call.

/// An object of its own, as most calls have none.
final class CallQuestions {
    /// The client's id of each question that is open, by the upstream's worker's number.
    var open: [Int: String] = [:]
    /// What of that is about tasks, and the questions that its server has asked as tasks.
    var about: [Int: QuestionMatter] = [:]
    var tasks: [String: QuestionTask] = [:]
    /// Bytes of answers that those keep.
    var keptAnswers = 0
}

extension Call {
    private var asking: CallQuestions {
        if let asked = self.asked { return asked }
        let asked = CallQuestions()
        self.asked = asked
        return asked
    }

    var questions: [Int: String] {
        get { self.asked?.open ?? [:] }
        set { self.asking.open = newValue }
    }
    var about: [Int: QuestionMatter] {
        get { self.asked?.about ?? [:] }
        set { self.asking.about = newValue }
    }
    var questionTasks: [String: QuestionTask] {
        get { self.asked?.tasks ?? [:] }
        set { self.asking.tasks = newValue }
    }
    var keptAnswers: Int {
        get { self.asked?.keptAnswers ?? 0 }
        set { self.asking.keptAnswers = newValue }
    }
}

extension Call: QuestionAsker {
    /// A client that is gone may come back for its question for so long.
    static let absence = TimeAmount.seconds(60)

    /// The server asks something.
    ///
    /// - Parameter number: of the question, for the upstream's worker.
    func ask(_ number: Int, _ payload: ByteBuffer) {
        self.hasAsked()
        guard let asked = try? RPCMessage(JSONText(trusting: payload)) else { return self.say(.declined(number)) }
        if asked.method?.hasPrefix("tasks/") == true { return self.askOfTask(number, asked) }
        let keeper = asked.task.map { _ in self.caller.keepsTask(for: asked.method) ? TaskKeeper.client : .bridge }
        // A client that keeps no tasks is asked plainly.
        let plain = keeper == .bridge ? TaskMessages.asCall(asked) : nil
        let question = plain.flatMap { try? RPCMessage($0) } ?? asked
        guard let id = question.id else { return self.say(.declined(number)) }
        switch QuestionFitting.verdict(on: question, to: self.caller.revision, self.caller.capabilities) {
        case .decline: self.say(.declined(number))
        case .refuse(let reason):
            self.say(
                .answered(number),
                RPCReply.error(id: QuestionTask.placeholder, code: -32602, message: "Not asked: \(reason)."))
        case .ask(let edits): self.ask(number, question, at: id, edits, keeper)
        }
    }

    /// - Parameter keeper: who keeps the task that the server wants; nil where it wants none.
    private func ask(
        _ number: Int, _ question: RPCMessage, at id: JSONSpan, _ edits: [QuestionFitting.Edit], _ keeper: TaskKeeper?
    ) {
        if let limit = self.hindrance(to: question.text.count) ?? keeper.flatMap({ _ in self.hindranceToTask }) {
            return self.say(.answered(number), Self.failure(limit))
        }
        let ownID = self.caller.questions.open(self, number)
        self.questions[number] = ownID
        self.about[number] = keeper.map { $0 == .client ? .creation : self.keepTask(number) }
        self.stream.ask(self.desk.put(question, at: id, as: ownID, edits, of: self, number), as: ownID)
        self.clocksStand()
    }

    /// Asks its client something of a task that it keeps.
    func ask(_ number: Int, octets: Int, about matter: QuestionMatter, _ question: (String) -> ByteBuffer) {
        if let limit = self.hindrance(to: octets) { return self.say(.answered(number), Self.failure(limit)) }
        let ownID = self.caller.questions.open(self, number)
        self.questions[number] = ownID
        self.about[number] = matter
        self.stream.ask(question(ownID), as: ownID)
        self.clocksStand()
    }

    /// Which limit keeps a question of this size from being asked, if one does.
    private func hindrance(to octets: Int) -> String? {
        if self.caller.questions.isFull {
            return "\(OpenQuestions<Call>.maximum) questions are open in the session already, a fixed limit"
        }
        guard !self.stream.canAsk(octets) else { return nil }
        return "its client has not read \(OpenQuestions<Call>.maximum) questions, or \(Retention.maximum >> 20) MiB of "
            + "questions are kept for clients that come back, both fixed limits"
    }

    /// Time that its client takes to answer is none of the call's.
    func clocksStand() {
        let until = NIODeadline.now() + self.questionTime
        for call in self.mayAsk { call.deadline = max(call.deadline, until) }
    }

    /// Whose clocks stand still while it asks: of a child that is one session's, any of its calls may be the one that asks.
    private var mayAsk: [Call] {
        guard self.upstream.route.share == .session else { return [self] }
        return self.caller.calls.values.filter { $0.upstream === self.upstream }
    }

    /// Its client's own clock may not stand still: it hears of progress meanwhile.
    func tellThatItWaits(now: NIODeadline) {
        guard self.waiting?.isDue(now: now) == true, self.stream.isHeard,
            self.mayAsk.contains(where: { !$0.questions.isEmpty }), let told = self.waiting?.told(now: now)
        else { return }
        self.stream.notify(told)
    }

    /// It is asked nothing any more.
    func goOn() {
        let calls = self.mayAsk
        guard calls.allSatisfy({ $0.questions.isEmpty && !$0.isWorkedOn }) else { return }
        for call in calls { call.clockGoesOn() }
    }

    /// Whether its client is at a task that it keeps for one of its questions.
    private var isWorkedOn: Bool {
        self.asked?.tasks.values.contains { $0.clientID != nil && !$0.status.isFinal } ?? false
    }

    private static func failure(_ what: String) -> ByteBuffer {
        RPCReply.error(id: QuestionTask.placeholder, code: Fault.internal.code, message: "Not asked: \(what).")
    }

    /// The client has answered.
    func answered(_ number: Int, with response: RPCMessage) {
        guard let id = self.questions.removeValue(forKey: number) else { return }
        self.stream.forget(question: id)
        var answer = response.text.bytes
        if self.course != nil, let tasks = self.desk.tasks {
            answer = tasks.answered(answer, to: self.upstream.route.name, by: self.caller.principal)
        }
        self.tell(number, answer)
        if self.questions.isEmpty { self.goOn() }
    }

    func goesOn(_ number: Int) {}

    /// Its server has answered, or is not waited for any more. Of a child that is one session's, another call may be the one
    /// that asks: that goes on with the question.
    func handQuestionsOver() {
        guard self.asked?.open.isEmpty == false,
            let other = self.mayAsk.first(where: { $0 !== self && $0.course == nil })
        else { return }
        for (number, id) in self.questions where self.about[number] == nil {
            other.hasAsked()
            other.questions[number] = id
            self.caller.questions.move(id, to: other)
            self.questions[number] = nil
        }
    }

    /// The server takes a question back, or has waited too long.
    func withdraw(_ number: Int) {
        if self.questions[number] == nil, let other = self.mayAsk.first(where: { $0.questions[number] != nil }) {
            return other.withdraw(number)
        }
        self.about[number] = nil
        guard let id = self.questions.removeValue(forKey: number) else { return self.forgetWaiting(number) }
        self.forgetTokens(of: number)
        self.tellWithdrawn(id, reason: "the server does not wait for it any more")
        if self.questions.isEmpty { self.goOn() }
    }

    /// The server has answered, or nobody waits for that any more.
    func asksNoMore() {
        guard self.asked != nil else { return }
        self.endTasks()
        guard !self.questions.isEmpty else { return }
        for (_, id) in self.questions.sorted(by: { $0.key < $1.key }) {
            self.tellWithdrawn(id, reason: "the call is over")
        }
        self.questions = [:]
        self.goOn()
    }

    private func tellWithdrawn(_ id: String, reason: String) {
        _ = self.caller.questions.close(id)
        self.stream.withdraw(question: id, reason: reason)
    }

    /// Whoever was asked is gone, and has not come back in time: that is the answer.
    func giveUpQuestions(now: NIODeadline) {
        guard self.asked != nil else { return }
        self.expireTasks(now: now)
        guard !self.questions.isEmpty, let since = self.stream.awaySince, now - since > Self.absence else { return }
        for (number, id) in self.questions.sorted(by: { $0.key < $1.key }) {
            _ = self.caller.questions.close(id)
            self.stream.forget(question: id)
            self.forgetTokens(of: number)
            if !self.failTask(number, "The client is gone.") { self.say(.gone(number)) }
        }
        self.about = [:]
        self.questions = [:]
        self.goOn()
    }
}

extension Caller {
    /// A client has answered something. What nobody has asked it, or not it, is ignored.
    func answered(_ response: RPCMessage) {
        guard !self.questions.isEmpty, let id = response.id.flatMap({ response.text[$0].string }),
            let (asker, number) = self.questions.close(id)
        else { return }
        asker.answered(number, with: response)
    }

    /// A client has told of its progress with something that it was asked. The token of it is the question's id.
    func progressed(_ notification: RPCMessage) {
        guard !self.questions.isEmpty,
            let id = notification.param("progressToken").flatMap({ notification.text[$0].string }),
            let (asker, number) = self.questions[id]
        else { return }
        asker.goesOn(number)
    }
}
