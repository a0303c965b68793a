import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// What a question that is put to a client has to do with tasks (2025-11-25, basic/utilities/tasks).
enum QuestionMatter: Equatable {
    /// The client is to keep a task of its own.
    case creation
    /// Its answer is what comes of this task, which the bridge keeps in its place, and waits for until then.
    case kept(QuestionTask.ID, until: NIODeadline)
    /// It is asked about this task, which it keeps.
    case request(QuestionTask.ID, isResult: Bool)
}

/// Who keeps the task as which a server asks something.
enum TaskKeeper {
    case client, bridge
}

// What a server asks as a task. Such a task is the call's in which it was asked: only in that can its client be reached.

extension Call {
    /// More of one call are not kept.
    private static let maximumTasks = 16

    /// Which limit keeps a question from being asked as a task, if one does.
    var hindranceToTask: String? {
        guard self.questionTasks.count >= Self.maximumTasks else { return nil }
        return "the call has asked \(Self.maximumTasks) questions as tasks already, a fixed limit"
    }

    /// Keeps a task in the place of the client, which the server has at once.
    func keepTask(_ number: Int) -> QuestionMatter {
        let limit = self.upstream.route.questionTimeout
        let task = QuestionTask(ttl: limit.milliseconds, now: WallClock.now())
        self.questionTasks[task.id] = task
        self.say(.answered(number), task.creation)
        return .kept(task.id, until: .now() + limit.timeAmount)
    }

    /// The server asks about a task that it has been given for a question.
    func askOfTask(_ number: Int, _ request: RPCMessage) {
        let method = request.method ?? ""
        guard let id = request.param("taskId").flatMap({ request.text[$0].string }), var task = self.questionTasks[id]
        else { return self.refuse(number, Fault.invalidParams.code, "There is no such task.") }
        guard task.clientID == nil else { return self.askClient(number, method, of: task) }
        switch method {
        case "tasks/result":
            let result = task.result(for: number)
            self.questionTasks[id] = task
            guard let result else { return self.clocksStand() }
            self.say(.answered(number), result)
        case "tasks/cancel":
            guard !task.status.isFinal else {
                return self.refuse(number, Fault.invalidParams.code, "The task is over.")
            }
            if let asked = self.number(of: id) { self.withdraw(asked) }
            self.endTask(id, .cancelled, with: Self.error("The task was cancelled."))
            if let report = self.questionTasks[id]?.report { self.say(.answered(number), report) }
        default: self.say(.answered(number), task.report)
        }
    }

    private func askClient(_ number: Int, _ method: String, of task: QuestionTask) {
        guard method != "tasks/cancel" || self.caller.capabilities.contains(.taskCancelling) else {
            return self.refuse(number, Fault.methodNotFound.code, "The client does not answer \(method).")
        }
        let matter = QuestionMatter.request(task.id, isResult: method == "tasks/result")
        self.ask(number, octets: method.utf8.count + task.id.utf8.count + 64, about: matter) {
            task.request(method, id: $0)
        }
    }

    /// Gives a client's answer to whoever waits for it.
    func tell(_ number: Int, _ answer: ByteBuffer) {
        let matter = self.about.removeValue(forKey: number)
        if matter != .creation { self.forgetTokens(of: number) }
        switch matter {
        case nil: self.say(.answered(number), answer)
        case .creation:
            guard let made = TaskMessages.created(answer) else { return self.say(.answered(number), answer) }
            let ttl = self.upstream.route.questionTimeout.milliseconds
            let task = QuestionTask(made.id, asked: number, ttl: ttl, now: WallClock.now())
            self.questionTasks[task.id] = task
            self.say(.answered(number), task.told(answer))
        case .kept(let id, _):
            let isError = JSONText(trusting: answer).member("error") != nil
            self.endTask(id, isError ? .failed : .completed, with: answer)
        case .request(let id, let isResult):
            guard var task = self.questionTasks[id] else { return self.say(.answered(number), answer) }
            task.heard(isResult ? nil : TaskMessages.state(answer))
            self.questionTasks[id] = task
            if isResult || task.status.isFinal { self.forgetTokens(of: task) }
            self.say(.answered(number), task.told(answer, isResult: isResult))
        }
    }

    private func endTask(_ id: QuestionTask.ID, _ status: TaskStatus, with outcome: ByteBuffer) {
        guard var task = self.questionTasks[id], !task.status.isFinal else { return }
        var (status, outcome) = (status, outcome)
        if self.stream.keep(answer: outcome.readableBytes) {
            self.keptAnswers += outcome.readableBytes
        } else {
            let limit = Retention.maximum >> 20
            status = .failed
            outcome = Self.error("The answer is not kept: more than \(limit) MiB of them are, a fixed limit.")
        }
        let waiting = task.end(status, with: outcome, now: WallClock.now())
        self.say(.note, task.note)
        for number in waiting {
            if let result = task.result(for: number) { self.say(.answered(number), result) }
        }
        self.questionTasks[id] = task
    }

    /// The number of the question whose answer this task waits for.
    private func number(of id: QuestionTask.ID) -> Int? {
        self.about.first { if case .kept(id, _) = $0.value { true } else { false } }?.key
    }

    /// The server does not wait for this answer any more.
    func forgetWaiting(_ number: Int) {
        for id in self.questionTasks.keys { self.questionTasks[id]?.forget(number) }
    }

    /// Nobody will answer a question.
    ///
    /// - Returns: whether a task has waited for that.
    func failTask(_ number: Int, _ reason: String) -> Bool {
        guard case .kept(let id, _) = self.about.removeValue(forKey: number) else { return false }
        self.endTask(id, .failed, with: Self.error(reason))
        return true
    }

    /// Ends tasks for which nobody has answered in time.
    func expireTasks(now: NIODeadline) {
        let limit = self.upstream.route.questionTimeout.words
        for (number, matter) in self.about {
            guard case .kept(let id, let until) = matter, until <= now else { continue }
            self.withdraw(number)
            self.endTask(
                id, .failed, with: Self.error("The client did not answer within \(limit) (timeouts.question)."))
        }
    }

    /// The call asks nothing any more.
    func endTasks() {
        self.caller.questionTokens.forget { asker, _ in asker === self }
        self.about = [:]
        guard !self.questionTasks.isEmpty else { return }
        if self.caller.capabilities.contains(.taskCancelling) {
            for task in self.questionTasks.values where task.clientID != nil && !task.status.isFinal {
                self.stream.notify(task.request("tasks/cancel", id: RandomID.make()))
            }
        }
        self.questionTasks = [:]
        self.stream.forget(answers: self.keptAnswers)
        self.keptAnswers = 0
    }

    /// What a client was asked under this number is over: nobody hears of its progress.
    func forgetTokens(of number: Int) {
        self.caller.questionTokens.forget { asker, asked in asker === self && asked == number }
    }

    /// A task that the client keeps has its token for as long as it lasts.
    fileprivate func forgetTokens(of task: QuestionTask) { if let asked = task.asked { self.forgetTokens(of: asked) } }

    private func refuse(_ number: Int, _ code: Int, _ message: String) {
        self.say(.answered(number), RPCReply.error(id: QuestionTask.placeholder, code: code, message: message))
    }

    private static func error(_ message: String) -> ByteBuffer {
        RPCReply.error(id: QuestionTask.placeholder, code: Fault.internal.code, message: message)
    }
}

extension Caller {
    /// Whether its client keeps tasks for such questions.
    func keepsTask(for method: String?) -> Bool {
        guard self.revision >= .v2025_11_25 else { return false }
        return self.capabilities.contains(method == "sampling/createMessage" ? .samplingTasks : .elicitationTasks)
    }

    /// Its client says something of what it is being asked. Of anything else nobody hears.
    func noted(_ note: RPCMessage) {
        switch note.method {
        case "notifications/progress":
            guard let span = note.param("progressToken"), let (call, _, token) = self.questionTokens[note.text[span]]
            else { return self.progressed(note) }
            call.tell(note.text.replacing(span, with: token.bytes).bytes)
        case "notifications/tasks/status":
            let text = note.text.bytes
            guard let state = TaskMessages.state(text) else { return }
            for call in self.calls.values {
                guard let task = call.questionTasks.values.first(where: { $0.clientID == state.id }) else { continue }
                call.questionTasks[task.id]?.heard(state)
                if state.status?.isFinal == true {
                    call.forgetTokens(of: task)
                    call.goOn()
                }
                return call.tell(text)
            }
        default: break
        }
    }
}

extension Call {
    /// Passes a notification of its client on, with the server's ids of tasks in the place of the client's.
    fileprivate func tell(_ note: ByteBuffer) {
        let told = TaskMessages.mapped(note) { name in
            if let task = self.questionTasks.values.first(where: { $0.clientID == name }) { return task.id }
            return self.desk.tasks?.ownID(name, at: self.upstream.route.name, of: self.caller.principal)
        }
        self.pass(told)
    }
}
