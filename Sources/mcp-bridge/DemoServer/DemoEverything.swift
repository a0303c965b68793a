import BridgeCore
import BridgeMCP

/// What the demo server knows besides, with `--everything`: pure state.
struct DemoEverything {
    var client = DemoClient()
    var resources = DemoResources()
    var hasExtraTool = false
    var hasExtraPrompt = false
    var questions = DemoQuestions()
    var tasks = DemoTasks()
}

/// Calls that wait for answers of the client.
struct DemoQuestions {
    /// One call, and what it has asked.
    struct Waiting {
        let id: RPCID
        let revision: ProtocolRevision
        var open: [(id: String, question: DemoQuestion)]
        /// What has been answered so far, for the result.
        var words: [String] = []
    }

    private(set) var waiting: [Waiting] = []
    private var lastID = 0

    /// An id for a question, and for a page that a person is to open.
    mutating func nextID() -> String {
        self.lastID += 1
        return "demo-\(self.lastID)"
    }

    /// Takes in a call that asks.
    ///
    /// - Returns: the questions with their ids.
    mutating func begin(
        _ questions: [DemoQuestion], for request: DemoRequest
    ) -> [(id: String, question: DemoQuestion)] {
        let asked = questions.map { (id: self.nextID(), question: $0) }
        let id = RPCID(request.id.text.detached) ?? request.id
        self.waiting.append(Waiting(id: id, revision: request.revision, open: asked))
        return asked
    }

    /// Takes in an answer.
    ///
    /// - Returns: the question, and the call if that was its last one.
    mutating func answered(_ id: String, words: (DemoQuestion) -> String) -> (question: DemoQuestion, over: Waiting?)? {
        for index in self.waiting.indices {
            guard let place = self.waiting[index].open.firstIndex(where: { $0.id == id }) else { continue }
            let question = self.waiting[index].open.remove(at: place).question
            self.waiting[index].words.append(words(question))
            let isOver = self.waiting[index].open.isEmpty
            return (question, isOver ? self.waiting.remove(at: index) : nil)
        }
        return nil
    }

    /// The client takes a call back.
    ///
    /// - Returns: the questions that are not to be answered any more.
    mutating func cancel(_ call: RPCID) -> [String] {
        guard let index = self.waiting.firstIndex(where: { $0.id == call }) else { return [] }
        return self.waiting.remove(at: index).open.map(\.id)
    }

    func contains(_ call: RPCID) -> Bool { self.waiting.contains { $0.id == call } }
}

/// Calls that run as tasks (2025-11-25, basic/utilities/tasks).
struct DemoTasks {
    struct Task {
        let id: String
        let created: String
        /// In milliseconds.
        let ttl: Int
        let expires: SuspendingClock.Instant
        var updated: String
        var status: String
        var result: JSONText?
        /// Requests for the result that wait for it.
        var waiting: [RPCID] = []

        var isOver: Bool { self.status != "working" }

        /// Writes its members.
        func write(to task: inout JSONWriter) {
            task.member("taskId", self.id)
            task.member("status", self.status)
            task.member("createdAt", self.created)
            task.member("lastUpdatedAt", self.updated)
            task.member("ttl", self.ttl)
            task.member("pollInterval", 200)
        }

        var text: JSONText { JSONWriter.object { self.write(to: &$0) } }
    }

    private static let maximum = 100
    private static let maximumTTL = 3_600_000
    private(set) var all: [Task] = []
    private var lastID = 0

    /// - Returns: nil when there are too many.
    mutating func begin(ttl: Int?, now: SuspendingClock.Instant) -> Task? {
        self.all.removeAll { $0.expires <= now }
        guard self.all.count < Self.maximum else { return nil }
        self.lastID += 1
        let ttl = min(max(ttl ?? 60_000, 1), Self.maximumTTL)
        let time = DemoClock.text(offset: nil)
        let task = Task(
            id: "task-\(self.lastID)", created: time, ttl: ttl, expires: now.advanced(by: .milliseconds(ttl)),
            updated: time, status: "working"
        )
        self.all.append(task)
        return task
    }

    subscript(id: String) -> Task? { self.all.first { $0.id == id } }

    /// Whether the task is there and not over; it waits in it then.
    mutating func wait(_ request: RPCID, for id: String) -> Bool {
        guard let index = self.all.firstIndex(where: { $0.id == id && !$0.isOver }) else { return false }
        self.all[index].waiting.append(RPCID(request.text.detached) ?? request)
        return true
    }

    /// - Returns: the task as it is now, with those who waited for it; nil when it was over, or is not there.
    mutating func end(_ id: String, _ status: String, result: JSONText?) -> Task? {
        guard let index = self.all.firstIndex(where: { $0.id == id && !$0.isOver }) else { return nil }
        self.all[index].status = status
        self.all[index].result = result
        self.all[index].updated = DemoClock.text(offset: nil)
        let task = self.all[index]
        self.all[index].waiting = []
        return task
    }
}
