import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// A call that is to run as a task: its answer is the task, which belongs to whoever has called from then on.
final class TaskCreation: CallCourse {
    weak var call: Call?
    let life = 0
    private let tasks: TaskDesk
    private let caller: Caller
    private let requestID: String
    private let upstream: UpstreamLink
    /// The task, until its client is told of it.
    private var untold: TaskKey?

    init(_ tasks: TaskDesk, _ request: PendingRequest, _ upstream: UpstreamLink) {
        self.tasks = tasks
        self.caller = request.caller
        self.requestID = request.requestID
        self.upstream = upstream
    }

    func answered(_ response: ByteBuffer, _ end: UpstreamEnd) -> CallStep {
        // An error; or the tool runs no tasks, and its server has ignored the wish.
        guard let task = TaskMessages.created(response), let life = end.life else { return .answer(response) }
        let server = self.upstream.route.name
        let claims = TaskClaims(
            key: TaskKey(server: server, life: life, ownID: task.id), principal: self.caller.principal,
            session: self.caller.number ?? 0, created: WallClock.seconds())
        guard let name = self.tasks.names.name(of: claims) else {
            self.tasks.cancel(claims.key, at: self.upstream, self.requestID, for: self.caller)
            return .fail(.longTaskID(server))
        }
        let told = TaskMessages.told(response) { $0 == task.id ? name : nil }
        // Whoever has its id finds it in the list, whatever dies next. A disk that fails loses no more than that.
        let written = self.tasks.records.heard(claims, ttl: task.ttl, isOver: task.status?.isFinal == true)
        guard let written else { return .answer(told) }
        self.untold = task.status?.isFinal == true ? nil : claims.key
        written.assumeIsolated().whenComplete { _ in
            self.untold = nil
            self.call?.conclude(told)
        }
        return .goOn
    }

    /// Nobody would ever ask for a task that its client has not been told of.
    func callEnded() {
        if let untold { self.tasks.cancel(untold, at: self.upstream, self.requestID, for: self.caller) }
    }

    /// The client does not know the task yet.
    func said(_ message: ByteBuffer) -> ByteBuffer { TaskMessages.mapped(message) { _ in nil } }
}
