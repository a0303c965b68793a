import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// What a server has asked as tasks over one connection: in which call each was asked, and how it is. Whoever keeps them is
/// behind that call, and they end with it.
///
/// Pure: times come in.
struct AskedTasks {
    private struct Task {
        let call: Int
        /// Until when the call's time stands still for it.
        let until: NIODeadline
        var state: JSONText
        var isOver: Bool
    }

    /// By what the server calls them.
    private var tasks: [String: Task] = [:]

    /// The answer to `tasks/list`.
    var list: JSONText {
        JSONWriter.object { result in
            result.memberArray("tasks") { list in
                for (_, task) in self.tasks.sorted(by: { $0.key < $1.key }) { list.element(task.state) }
            }
        }
    }

    /// The call in which it was asked, and until when that call's time stands still for it.
    func asker(of id: String) -> (call: Int, until: NIODeadline)? { self.tasks[id].map { ($0.call, $0.until) } }

    /// Whether somebody is busy with any of a call's; of any call's without one.
    func isUnderWay(for call: Int? = nil, now: NIODeadline) -> Bool {
        self.tasks.values.contains { !$0.isOver && now < $0.until && $0.call == call ?? $0.call }
    }

    mutating func made(_ state: TaskState, by call: Int, until: NIODeadline) {
        self.tasks[state.id] = Task(
            call: call, until: until, state: state.text.detached, isOver: state.status?.isFinal == true)
    }

    /// It is told how one is.
    mutating func heard(_ state: TaskState) {
        self.tasks[state.id]?.state = state.text.detached
        if state.status?.isFinal == true { self.tasks[state.id]?.isOver = true }
    }

    /// A call is over.
    mutating func over(_ call: Int) {
        if !self.tasks.isEmpty { self.tasks = self.tasks.filter { $0.value.call != call } }
    }
}

extension CallDesk {
    /// The server asks about a task that it has been given for a question.
    func asked(_ request: RPCMessage, _ id: ByteBuffer, ofTask task: String, now: NIODeadline) -> Questions.Verdict {
        guard let (call, until) = self.askedTasks.asker(of: task) else { return .decline }
        let caller = self.pending.caller(call)
        let mayBeAsked = self.pending.isUnderWay(call) && caller?.mayBeAsked == true
        let (method, deadline) = (request.method ?? "", now + self.timeouts.question.timeAmount)
        // Calls about tasks take no turns, and nobody waits for one behind what they ask.
        let verdict =
            caller?.isOfTask == true
            ? self.questions.asked(
                id, method, forTaskOf: mayBeAsked ? call : nil, now: now, deadline: deadline)
            : self.questions.asked(id, method, in: call, isAskable: mayBeAsked, now: now, deadline: deadline)
        guard case .ask(_, let number) = verdict else { return verdict }
        self.pending.pause(call, until: until + .seconds(1), now: now)?.ask(request, number: number)
        self.delegate?.deskAsks(self)
        return verdict
    }

    /// A question has been answered.
    func heard(_ answer: ByteBuffer, to question: Questions.Open) {
        switch question.method {
        case "tasks/get", "tasks/cancel":
            if let state = TaskMessages.state(answer) { self.askedTasks.heard(state) }
        case _ where question.wantsTask:
            guard let made = TaskMessages.created(answer) else { return }
            self.askedTasks.made(made, by: question.call, until: question.deadline)
        default: break
        }
    }

    /// A call's client says something of what it is asked.
    func callNoted(_ call: UpstreamCall, _ note: ByteBuffer) {
        let text = JSONText(trusting: note)
        if text.string("method") == "notifications/tasks/status", let state = TaskMessages.state(note) {
            self.askedTasks.heard(state)
            self.goOn(call.id, now: .now())
        }
        self.delegate?.desk(self, says: text.withWholePairs)
    }
}

extension Conversation {
    /// Answers what the server asks about tasks that it has been given for questions, or has it asked.
    func askedOfTask(_ message: RPCMessage, _ method: String, id: ByteBuffer) {
        if method == "tasks/list" {
            return self.say(JSONText(trusting: RPCReply.result(id: id, self.desk.askedTasks.list)))
        }
        let task = message.param("taskId").flatMap { message.text[$0].string }
        switch task.map({ self.desk.asked(message, id.toKeep, ofTask: $0, now: .now()) }) ?? .decline {
        case .ask: self.delegate?.conversationDeadlinesChanged(self)
        case .full: self.say(QuestionReply.tooMany(id: id))
        case .decline, .ambiguous: self.say(QuestionReply.unknownTask(id: id))
        }
    }
}
