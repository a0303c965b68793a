import BridgeCore
import BridgeMCP
import NIOCore

// Calls that run as tasks.

extension DemoSession {
    mutating func answerTasks(_ request: DemoRequest, now: Instant) {
        guard request.revision >= .v2025_11_25 else { return self.refuseMethod(request) }
        switch request.message.method {
        case "tasks/list":
            let tasks = self.everything?.tasks.all ?? []
            let list = JSONWriter.object { result in
                result.memberArray("tasks") { list in for task in tasks { list.element(task.text) } }
            }
            self.succeed(request, list)
        case "tasks/get", "tasks/result", "tasks/cancel":
            let id = request.parameter("taskId")?.string ?? ""
            guard let task = self.everything?.tasks[id] else { return self.refuse(request, -32602, "No such task.") }
            self.answer(request, task)
        default: self.refuseMethod(request)
        }
    }

    private mutating func answer(_ request: DemoRequest, _ task: DemoTasks.Task) {
        switch request.message.method {
        case "tasks/get": self.succeed(request, task.text)
        case "tasks/cancel":
            guard let ended = self.endTask(task.id, "cancelled", result: nil) else {
                return self.refuse(request, -32602, "The task is over: \(task.status).")
            }
            self.naps.removeAll { $0.task == task.id }
            self.succeed(request, ended.text)
        default:
            if self.everything?.tasks.wait(request.id, for: task.id) != true {
                self.sendResult(of: task, to: request.id)
            }
        }
    }

    /// Begins a task for a call, which is answered with it.
    ///
    /// - Returns: the task's id; nil where it could not begin, and the call is refused.
    mutating func beginTask(_ request: DemoRequest, now: Instant) -> String? {
        let ttl = request.parameter("task")?.value("ttl")?.int
        guard let task = self.everything?.tasks.begin(ttl: ttl, now: now) else {
            self.refuse(request, -32000, "Too many tasks at once.")
            return nil
        }
        self.succeed(request, JSONWriter.object { $0.memberObject("task") { task.write(to: &$0) } })
        return task.id
    }

    /// A task is over: everybody is told who wanted to know.
    @discardableResult
    mutating func endTask(_ id: String, _ status: String, result: JSONText?) -> DemoTasks.Task? {
        guard let task = self.everything?.tasks.end(id, status, result: result) else { return nil }
        self.notify("notifications/tasks/status", task.text)
        for request in task.waiting { self.sendResult(of: task, to: request) }
        return task
    }

    private mutating func sendResult(of task: DemoTasks.Task, to request: RPCID) {
        guard let result = task.result else {
            return self.send(
                RPCReply.error(id: request.bytes, code: -32603, message: "The task was \(task.status)."))
        }
        let related = JSONWriter.object { meta in
            meta.memberObject("io.modelcontextprotocol/related-task") { $0.member("taskId", task.id) }
        }
        let whole = JSONWriter.object { whole in
            result.members { key, value in whole.member(key.string, result[value]) }
            whole.member("_meta", related)
        }
        self.send(RPCReply.result(id: request.bytes, whole))
    }
}
