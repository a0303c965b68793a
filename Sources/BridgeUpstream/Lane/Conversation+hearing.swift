import BridgeConfiguration
import BridgeCore
import NIOCore

// What the server says, and whom it is for.
extension Conversation {
    /// - Parameter request: of ours, whose answer is the stream that it came on, where the transport tells that.
    func received(_ text: JSONText, answering request: Int? = nil) {
        // Older revisions have batches.
        guard text.kind == .array else { return self.receivedMessage(text, request) }
        var count = 0
        text.elements { span in
            count += 1
            if count <= Self.maximumBatch { self.receivedMessage(text[span], request) }
        }
        guard count > Self.maximumBatch else { return }
        self.complaints.noise(
            text.bytes, "it has \(count) messages, and \(Self.maximumBatch) are looked at, a fixed limit", now: .now())
    }

    /// More messages of one line are not looked at: each of them takes time from everybody else.
    static let maximumBatch = 10_000

    private func receivedMessage(_ text: JSONText, _ request: Int?) {
        guard !self.isOver else { return }
        do throws(RPCError) {
            let message = try RPCMessage(text)
            if let request { self.desk.noteTask(in: message, of: request) }
            switch message.shape {
            case .result, .error: self.answered(message)
            case .request: self.asked(message, answering: request)
            case .notification: self.notified(message, on: request)
            }
        } catch {
            self.receivedOdd(text, error)
        }
    }

    /// There will be no answer to this request.
    ///
    /// - Returns: whether it was one of the bridge's own.
    func lost(_ request: Int, _ loss: RequestLoss) -> Bool {
        guard let purpose = self.own.take(request) else { return false }
        if case .list(let offering) = purpose, let retryAfter = loss.retryAfter {
            let time = Peace.bounded(.seconds(Int64(retryAfter)))
            self.upkeep.listRefused(offering, until: .now() + time)
        }
        self.failed(purpose, loss.reason)
        return true
    }

    func answered(_ message: RPCMessage) {
        guard let span = message.id else { return self.reported(message) }
        guard let id = message.text[span].ownNumber else {
            return self.complaints.stray(.unknownID, message.text.bytes)
        }
        if self.desk.isOfThisConnection(id) { self.excuses.answered(id) }
        switch self.desk.answer(id, with: message, at: span) {
        case .taken: break
        case .late: self.cancelTask(madeBy: message)
        case .duplicate:
            guard let purpose = self.own.take(id) else {
                return self.complaints.stray(.answeredTwice, message.text.bytes)
            }
            self.answered(purpose, message)
        case .unknown: self.complaints.stray(.unknownID, message.text.bytes)
        }
    }

    private func reported(_ message: RPCMessage) {
        guard let error = message.error else { return }
        self.reported(message.text[error], in: message.text)
    }

    func asked(_ message: RPCMessage, answering request: Int? = nil) {
        guard let id = message.idBytes else { return }
        let method = message.method ?? ""
        if Self.ofTasks.contains(method) { return self.askedOfTask(message, method, id: id) }
        guard Self.questions.contains(method) else {
            return self.say(ClientMessage.answer(to: method, id: id, roots: self.configuration.roots))
        }
        // Nobody is asked outside a call. Servers ask for roots when they start, and calls may be under way then already:
        // what one client would answer is not to hold for all.
        let isStarting = method == "roots/list" && !self.lists.areRead
        let declined = self.declined(method, wantsTask: message.task != nil, id: id)
        guard self.desk.sentCount > 0, !isStarting else {
            if method != "roots/list" { self.complaints.unasked(method, "no call is under way") }
            return self.say(declined)
        }
        switch self.desk.asked(message, id.toKeep, in: request, now: .now()) {
        case .ask: self.delegate?.conversationDeadlinesChanged(self)
        case .ambiguous where method == "roots/list": self.say(declined)
        case .ambiguous:
            self.complaints.unasked(method, "several calls are or were under way, and nothing says which of them asks")
            self.say(QuestionReply.ambiguous(id: id))
        case .full: self.say(QuestionReply.tooMany(id: id))
        case .decline: self.say(declined)
        }
    }

    /// What is said in the place of a client that cannot be asked. Of roots, that is what the configuration says.
    func declined(_ method: String, wantsTask: Bool, id: ByteBuffer) -> JSONText {
        guard method == "roots/list" else { return QuestionReply.declined(method, wantsTask: wantsTask, id: id) }
        return ClientMessage.answer(to: method, id: id, roots: self.configuration.roots)
    }

    /// What servers ask clients (client features). The other requests the bridge answers itself.
    private static let questions: Set<String> = ["sampling/createMessage", "elicitation/create", "roots/list"]

    /// What servers ask about the tasks that answer those.
    private static let ofTasks: Set<String> = ["tasks/get", "tasks/result", "tasks/cancel", "tasks/list"]

    /// - Parameter request: of ours, on whose stream it came.
    private func notified(_ message: RPCMessage, on request: Int?) {
        switch message.method ?? "" {
        case "notifications/progress":
            guard let token = message.param("progressToken"), let id = message.text[token].ownNumber
            else { return }
            guard self.desk.isUnderWay(id) else { return self.progressedTask(message, token: token, id) }
            self.desk.noteTask(in: message, of: id)
            self.desk.progressed(id, message, token: token)
        case "notifications/cancelled":
            // It takes back a question of the upstream's own.
            if let id = message.param("requestId") { self.desk.withdrawn(message.text[id].bytes, now: .now()) }
        case _ where self.notifiedOfTask(message): break
        case let method:
            let changed = self.lists.changed(by: method)
            if changed.isEmpty { self.told(message, method, on: request) }
            for offering in changed { self.upkeep.listChanged(offering, now: .now()) }
            self.delegate?.conversationDeadlinesChanged(self)
        }
    }

    /// Passes on what is no affair of the bridge's: to the caller whose it is, where that is known, else to all that it may
    /// concern. What came on the stream of a call that is over concerns nobody any more, and nobody else.
    private func told(_ message: RPCMessage, _ method: String, on request: Int?) {
        guard !Self.ofTheServer.contains(method), !method.hasSuffix("/list_changed") else {
            self.news?.noted(message.text)
            return
        }
        if let request, !self.own.contains(request) { return self.desk.tell(message, to: request) }
        guard method == "notifications/message", self.desk.log(message) else {
            self.news?.noted(message.text)
            return
        }
    }

    /// What is about something that the server has, on whatever stream it comes.
    private static let ofTheServer: Set<String> = [
        "notifications/resources/updated", "notifications/elicitation/complete",
    ]
}
