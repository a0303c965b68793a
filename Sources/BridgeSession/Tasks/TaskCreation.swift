import BridgeCore
import BridgeMCP
import NIOCore

/// A call that is to run as a task: its answer is the task, which belongs to whoever has called from then on.
final class TaskCreation: CallCourse {
    weak var call: Call?
    let life = 0
    private let tasks: TaskDesk
    private let caller: Caller
    private let server: String

    init(_ tasks: TaskDesk, _ caller: Caller, _ server: String) {
        self.tasks = tasks
        self.caller = caller
        self.server = server
    }

    func answered(_ response: ByteBuffer, _ end: UpstreamEnd) -> CallStep {
        // An error; or the tool runs no tasks, and its server has ignored the wish.
        guard let task = TaskMessages.created(response), let life = end.life else { return .answer(response) }
        let claims = TaskClaims(
            key: TaskKey(server: self.server, life: life, ownID: task.id), principal: self.caller.principal,
            session: self.caller.number ?? 0, created: WallClock.seconds())
        guard let name = self.tasks.names.name(of: claims) else { return .fail(.longTaskID(self.server)) }
        self.tasks.records.heard(claims, ttl: task.ttl, isOver: task.status?.isFinal == true)
        return .answer(TaskMessages.told(response) { $0 == task.id ? name : nil })
    }

    /// The client does not know the task yet.
    func said(_ message: ByteBuffer) -> ByteBuffer { TaskMessages.mapped(message) { _ in nil } }
}
