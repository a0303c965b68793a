import BridgeCore
package import NIOCore

/// A tool that can only be called as a task, called by a client that knows of none: the task is made, asked about and
/// fetched in the client's place, and the client has a plain answer.
///
/// Pure: answers come in, what to do next goes out.
package struct DrivenTask: Sendable {
    package enum Step: Sendable, Equatable {
        /// Ask how the task is, in so many milliseconds.
        case poll(after: Int)
        /// Ask for what came of it.
        case fetch
        /// This is what the client is answered.
        case answer(ByteBuffer)
        /// What becomes of the task is not known; in the server's words.
        case lost(String)
    }

    private enum Phase: Equatable {
        case creating
        case polling
        case fetching
    }

    /// Where a server says nothing of how often it is to be asked, and within which limits it may say so, in milliseconds.
    private static let standardInterval = 500
    private static let intervals = 50...60_000

    private var phase = Phase.creating
    private var interval = Self.standardInterval
    /// As its server calls it, once it has been made.
    package private(set) var id: String?
    /// What the server has said of it last.
    private var state: JSONText?
    /// Whether it is known to be over.
    package private(set) var isOver = false

    package init() {}

    /// The server has answered.
    ///
    /// - Returns: what is next, and whether there is news of the task: a sign that it goes on.
    package mutating func answered(_ response: ByteBuffer) -> (step: Step, hasNews: Bool) {
        switch self.phase {
        case .creating:
            guard let state = TaskMessages.created(response) else { return (.answer(response), true) }
            self.id = state.id
            self.phase = .polling
            return self.heard(state)
        case .polling:
            guard let state = TaskMessages.state(response) else {
                let error = JSONText(trusting: response).value("error")
                return (.lost(error?.string("message") ?? "it did not say how its task is"), false)
            }
            return self.heard(state)
        case .fetching:
            self.isOver = true
            return (.answer(TaskMessages.mapped(response) { _ in nil }), true)
        }
    }

    /// The server has said by itself how the task is, and so before it is asked for the next time.
    ///
    /// - Parameter isAsking: whether a request is under way. What is next is told by its answer then.
    /// - Returns: what is next, where that is something else than it was; and whether there is news.
    package mutating func noted(_ state: TaskState, isAsking: Bool) -> (step: Step?, hasNews: Bool) {
        guard state.id == self.id else { return (nil, false) }
        guard self.phase == .polling, !isAsking else {
            self.isOver = self.isOver || state.status?.isFinal == true
            return (nil, self.isNews(state))
        }
        let (step, hasNews) = self.heard(state)
        return (step == .fetch ? step : nil, hasNews)
    }

    private mutating func isNews(_ state: TaskState) -> Bool {
        defer { self.state = state.text.detached }
        return state.text != self.state
    }

    private mutating func heard(_ state: TaskState) -> (step: Step, hasNews: Bool) {
        let hasNews = self.isNews(state)
        if let interval = state.pollInterval {
            self.interval = min(max(interval, Self.intervals.lowerBound), Self.intervals.upperBound)
        }
        guard state.status?.isFinal == true || state.status == .inputRequired else {
            return (.poll(after: self.interval), hasNews)
        }
        // A server may have its questions wait for the request that asks for the result.
        self.isOver = state.status?.isFinal == true
        self.phase = .fetching
        return (.fetch, hasNews)
    }

    /// The request that a step wants, with this id.
    package func request(_ method: String, id: ByteBuffer) -> ByteBuffer {
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("id", JSONText(trusting: id))
            message.member("method", method)
            message.memberObject("params") { $0.member("taskId", self.id ?? "") }
        }
        return message.bytes
    }
}
