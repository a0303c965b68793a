package import BridgeCore
package import NIOCore

/// A question of a server that is to be answered as a task (2025-11-25, basic/utilities/tasks), as that server sees it.
///
/// The client keeps the task where it has said that it can. In the place of any other client the bridge does: the client is
/// asked plainly, and its answer is what comes of the task. Pure: times come in.
package struct QuestionTask: Sendable, Identifiable {
    /// What the server calls it. It is nobody else's.
    package let id: String
    /// What the client calls it; nil of one that the bridge keeps.
    package let clientID: String?
    /// Of such a one: the number under which the client was asked.
    package let asked: Int?
    /// How long it is kept, in milliseconds.
    private let ttl: Int
    private let created: UTCTime
    private var updated: UTCTime
    package private(set) var status = TaskStatus.working
    /// Of one that the bridge keeps: the response that came of it, under an id that means nothing.
    private var outcome: ByteBuffer?
    /// Of one that the bridge keeps: the numbers of the server's requests that wait for it to end.
    package private(set) var waiting: [Int] = []

    /// How often a server is to ask, in milliseconds.
    private static let pollInterval = 1_000
    /// What stands in the place of an id that is replaced on the way.
    package static let placeholder = ByteBuffer(string: "0")

    /// - Parameter ttl: how long it is kept, in milliseconds, whatever its server has asked for.
    package init(_ clientID: String? = nil, asked: Int? = nil, ttl: Int, now: UTCTime) {
        self.id = RandomID.make()
        self.clientID = clientID
        self.asked = asked
        self.ttl = ttl
        self.created = now
        self.updated = now
    }

    // MARK: What the server is told

    /// The answer to the question.
    package var creation: ByteBuffer {
        RPCReply.result(id: Self.placeholder, JSONWriter.object { $0.member("task", self.state) })
    }

    /// The answer to who asks how it is.
    package var report: ByteBuffer { RPCReply.result(id: Self.placeholder, self.state) }

    /// That it has changed.
    package var note: ByteBuffer {
        let note = JSONWriter.object { note in
            note.member("jsonrpc", "2.0")
            note.member("method", "notifications/tasks/status")
            note.member("params", self.state)
        }
        return note.bytes
    }

    private var state: JSONText {
        JSONWriter.object { task in
            task.member("taskId", self.id)
            task.member("status", self.status.rawValue)
            task.member("createdAt", self.created.text())
            task.member("lastUpdatedAt", self.updated.text())
            task.member("ttl", self.ttl)
            task.member("pollInterval", Self.pollInterval)
        }
    }

    /// The answer to who wants what came of it; nil while it goes on, and then it is given later.
    package mutating func result(for number: Int) -> ByteBuffer? {
        guard let outcome else {
            self.waiting.append(number)
            return nil
        }
        return TaskMessages.toldResult(outcome, of: "", as: self.id)
    }

    /// Nobody waits for this answer any more.
    package mutating func forget(_ number: Int) { self.waiting.removeAll { $0 == number } }

    // MARK: What becomes of it

    /// It is over.
    ///
    /// - Returns: who has waited for that.
    package mutating func end(_ status: TaskStatus, with outcome: ByteBuffer, now: UTCTime) -> [Int] {
        self.status = status
        self.outcome = outcome
        self.updated = now
        defer { self.waiting = [] }
        return self.waiting
    }

    // MARK: A task that the client keeps

    /// A server's request about it, as its client is asked it.
    package func request(_ method: String, id: String) -> ByteBuffer {
        let request = JSONWriter.object { request in
            request.member("jsonrpc", "2.0")
            request.member("id", id)
            request.member("method", method)
            request.memberObject("params") { $0.member("taskId", self.clientID ?? self.id) }
        }
        return request.bytes
    }

    /// What the client says of it, as the server is told.
    ///
    /// - Parameter isResult: whether it is what came of the task, which says whose that is.
    package func told(_ message: ByteBuffer, isResult: Bool = false) -> ByteBuffer {
        guard let clientID else { return message }
        if isResult { return TaskMessages.toldResult(message, of: clientID, as: self.id) }
        return TaskMessages.mapped(message) { $0 == clientID ? self.id : nil }
    }

    /// The client has said how it is.
    package mutating func heard(_ state: TaskState?) {
        if let status = state?.status, !self.status.isFinal { self.status = status }
    }
}
