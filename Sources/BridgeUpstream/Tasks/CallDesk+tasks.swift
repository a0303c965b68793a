import BridgeCore
import BridgeMCP
import NIOCore

// Calls about tasks, and what outlives the calls that made them.

extension CallDesk {
    /// Calls under way that do not wait for a task to end. One that does may wait for hours, and says nothing about whether
    /// its server hangs.
    var hurriedCount: Int { self.sentCount - self.patient.count }

    /// Whether the server has anything to do.
    var isUnused: Bool { self.count == 0 && self.tasks.isEmpty }

    /// Whether a call may be sent over this connection: the task that it is about is of it. Else it has been answered.
    func mayBeSent(_ id: Int, _ call: UpstreamCall) -> Bool {
        guard !self.knows(call) else {
            if call.isPatient { self.patient.insert(id) }
            return true
        }
        self.refuseUnknown(id)
        return false
    }

    /// Whether the task that a call is about, if it is about one, is of this connection.
    func knows(_ call: UpstreamCall) -> Bool { call.life.map { $0 == 0 || $0 == self.tasks.life } ?? true }

    /// The call whose client is asked what a server asks for this task: one that waits for the task to end. The newest, where
    /// there are several, unless it is asked on the stream of one.
    func waits(for task: String, on request: Int?) -> Int? {
        let calls = self.patient.filter {
            self.pending.caller($0).map { $0.taskID == task && $0.mayBeAsked } ?? false
        }
        return request.flatMap { calls.contains($0) ? $0 : nil } ?? calls.max()
    }

    /// The server says something while it is at a call: it may tell of the task that it has made for that.
    func noteTask(in message: RPCMessage, of id: Int) {
        guard let call = self.pending.caller(id), call.life == 0, call.madeTask == nil else { return }
        let isStatus = message.method == "notifications/tasks/status"
        call.madeTask = isStatus ? TaskMessages.state(message.text.bytes)?.id : TaskMessages.related(message.text)
    }

    /// A call about a task has been answered.
    func note(_ response: RPCMessage, to call: UpstreamCall) {
        guard call.life != nil else { return }
        guard response.shape == .result else {
            // Of a task that its server does not know nothing more comes.
            let isUnknown = response.text.value("error")?.int("code") == Fault.invalidParams.code
            if let id = call.taskID, call.isInquiry, isUnknown { self.tasks.ended(id) }
            return
        }
        if let made = TaskMessages.created(response.text.bytes) {
            self.tasks.made(made, by: call.id, call.tokenOfClient, now: .now())
        } else if call.isPatient, let id = call.taskID {
            self.tasks.ended(id)
        } else if let state = TaskMessages.state(response.text.bytes) {
            self.tasks.heard(state)
        }
    }
}

extension Conversation {
    /// Takes a notification that is about a task: all that is known of whose it is, is known by the task.
    ///
    /// - Returns: false for any other.
    func notifiedOfTask(_ message: RPCMessage) -> Bool {
        let isStatus = message.method == "notifications/tasks/status"
        // A page that is done is known by an id of its own.
        let isPage = message.method == "notifications/elicitation/complete"
        guard isStatus || !isPage && TaskMessages.related(message.text) != nil else { return false }
        if isStatus, let state = TaskMessages.state(message.text.bytes) { self.desk.tasks.heard(state) }
        self.news?.noted(message.text, ofTaskIn: self.desk.tasks.life)
        self.tasksChanged()
        return true
    }

    /// Takes the progress of a task whose call has been answered: under its client's token, and by its name even where the
    /// server leaves that out.
    func progressedTask(_ message: RPCMessage, token: JSONSpan, _ number: Int) {
        guard let (id, clientToken) = self.desk.tasks.progressed(number) else { return }
        let text = TaskMessages.related(message.text, to: id, replacing: token, with: clientToken)
        self.news?.noted(text, ofTaskIn: self.desk.tasks.life)
    }

    /// A call that was given up has been answered after all. Where that has made a task, nobody would ever ask for it.
    func cancelTask(madeBy response: RPCMessage) {
        guard self.identity?.hasTasks == true, response.shape == .result,
            let task = TaskMessages.created(response.text.bytes), task.status?.isFinal != true
        else { return }
        self.cancel(task: task.id)
    }

    /// Ends a task that nobody would ever ask for. Twice would be an error.
    func cancel(task: String) {
        guard self.cancelledTasks.insert(task) else { return }
        let id = self.desk.reserveID()
        // Whatever it answers is no mistake.
        self.desk.giveUp(reserved: id)
        let parameters = JSONWriter.object { $0.member("taskId", task) }
        self.say(ClientMessage.request(id: id, method: "tasks/cancel", parameters: parameters), request: id)
    }

    func expireTasks(_ now: NIODeadline) {
        guard !self.desk.tasks.isEmpty else { return }
        self.desk.tasks.expire(now: now)
        self.tasksChanged()
    }

    /// The last task may be over, and with it the use of the server.
    private func tasksChanged() {
        guard self.desk.isUnused else { return }
        self.busy(false, now: .now())
        self.delegate?.conversationDeadlinesChanged(self)
    }
}
