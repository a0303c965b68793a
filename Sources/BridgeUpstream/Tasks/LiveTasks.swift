import BridgeMCP
import NIOCore

/// What a server has under way as tasks, over one connection: their calls have been answered, and still it is not unused,
/// and still the progress tokens of those calls are good (basic/utilities/tasks, "Task Progress Notifications").
///
/// Pure: times come in. A task is held until its server says that it is over, or until its time is; more than
/// ``maximum`` are not held.
struct LiveTasks {
    static let maximum = 4_096
    /// Of a task whose server sets no limit, or a longer one.
    static let longest = TimeAmount.hours(24)

    struct Task {
        /// Our id of the call that made it, and its client's token, where that wants to hear of progress.
        let call: Int
        let clientToken: ByteBuffer?
        let until: NIODeadline
    }

    /// Tells this connection from all others: what a server keeps in memory ends with it.
    let life = Int.random(in: 1..<1 << 53)
    private var tasks: [String: Task] = [:]
    /// Those whose clients want to hear of progress, by the ids of their calls.
    private var tokens: [Int: String] = [:]
    private(set) var nextDeadline: NIODeadline?

    var isEmpty: Bool { self.tasks.isEmpty }

    /// A call has been answered with a task.
    mutating func made(_ task: TaskState, by call: Int, _ clientToken: ByteBuffer?, now: NIODeadline) {
        guard task.status?.isFinal != true, self.tasks.count < Self.maximum else { return }
        let limit = task.ttl.map { min(.milliseconds(Int64(min($0, 1 << 40))), Self.longest) } ?? Self.longest
        self.remove(task.id)
        let until = now + limit
        self.tasks[task.id] = Task(call: call, clientToken: clientToken, until: until)
        if clientToken != nil { self.tokens[call] = task.id }
        self.nextDeadline = min(self.nextDeadline ?? until, until)
    }

    /// The server says how a task is.
    mutating func heard(_ task: TaskState) { if task.status?.isFinal == true { self.ended(task.id) } }

    /// A task is over.
    mutating func ended(_ id: String) {
        self.remove(id)
        if self.tasks.isEmpty { self.nextDeadline = nil }
    }

    /// Whose progress is told under a token of ours.
    func progressed(_ token: Int) -> (id: String, clientToken: ByteBuffer)? {
        guard let id = self.tokens[token], let clientToken = self.tasks[id]?.clientToken else { return nil }
        return (id, clientToken)
    }

    /// Lets go of those whose time is over.
    mutating func expire(now: NIODeadline) {
        guard let next = self.nextDeadline, next <= now else { return }
        for id in self.tasks.filter({ $0.value.until <= now }).keys { self.remove(id) }
        self.nextDeadline = self.tasks.values.lazy.map(\.until).min()
    }

    private mutating func remove(_ id: String) {
        if let task = self.tasks.removeValue(forKey: id) { self.tokens[task.call] = nil }
    }
}
