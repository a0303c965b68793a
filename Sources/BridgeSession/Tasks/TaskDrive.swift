import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// A plain call of a tool that can only be called as a task: the bridge makes the task, asks about it and answers what came
/// of it. Its client never knows.
final class TaskDrive: CallCourse {
    weak var call: Call?
    /// The task, once there is one.
    private(set) var key: TaskKey?
    /// How long the server is asked to keep the task, in milliseconds.
    let ttl: Int
    private let tasks: TaskDesk
    private let request: PendingRequest
    private let upstream: UpstreamLink
    private let limit: Seconds
    private var task = DrivenTask()
    private var nextPoll: Scheduled<Void>?

    /// - Parameter limit: without any news of the task for so long, the call is over.
    init(_ tasks: TaskDesk, _ request: PendingRequest, to upstream: UpstreamLink, within limit: Seconds) {
        self.tasks = tasks
        self.request = request
        self.upstream = upstream
        self.limit = limit
        self.ttl = min(max(3_600_000, 2 * limit.milliseconds), TaskMessages.maximumTTL)
    }

    var life: Int { self.key?.life ?? 0 }

    func answered(_ response: ByteBuffer, _ end: UpstreamEnd) -> CallStep {
        guard end.failure == nil || self.key == nil else {
            let error = JSONText(trusting: response).value("error")
            return .fail(.lostTask(self.upstream.route.name, error?.string("message") ?? ""))
        }
        let (step, hasNews) = self.task.answered(response)
        if self.key == nil, let id = self.task.id {
            let key = TaskKey(server: self.upstream.route.name, life: end.life ?? 0, ownID: id)
            self.key = key
            self.tasks.drives(self, as: key)
        }
        if hasNews { self.call?.goesOn() }
        switch step {
        case .poll(let delay):
            self.nextPoll = self.tasks.loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(delay))) {
                [weak self] in
                self?.poll()
            }
            return .goOn
        case .fetch:
            self.ask("tasks/result")
            return .goOn
        case .answer(let answer): return .answer(answer)
        case .lost(let reason): return .fail(.lostTask(self.upstream.route.name, reason))
        }
    }

    private func poll() {
        guard self.nextPoll != nil else { return }
        self.nextPoll = nil
        self.ask("tasks/get")
    }

    private func ask(_ method: String) {
        let message = self.task.request(method, id: self.request.id.bytes)
        self.call?.ask(message, header: self.header, hasRun: true)
    }

    private var header: JSONText {
        self.tasks.desk.header(
            of: self.request, naming: self.task.id.map { JSONText($0) }, timeout: self.limit, life: self.life)
    }

    /// The server says something of the task.
    func heard(_ note: ByteBuffer, _ state: TaskState?) {
        guard let call else { return }
        if state != nil {
            // So the answer need not wait for the next time that is asked.
            self.nextPoll?.cancel()
            return self.poll()
        }
        let text = JSONText(trusting: note)
        if text.string("method") == "notifications/progress" { call.goesOn() }
        if call.caller.wants(LogMessage.severity(of: note)) { call.stream.notify(self.said(note)) }
    }

    func said(_ message: ByteBuffer) -> ByteBuffer { TaskMessages.mapped(message) { _ in nil } }

    func givenUp() {
        self.nextPoll?.cancel()
        self.nextPoll = nil
        guard let id = self.task.id, !self.task.isOver else { return }
        let message = self.task.request("tasks/cancel", id: self.request.id.bytes)
        _ = self.upstream.open(
            header: self.tasks.desk.header(
                of: self.request, naming: JSONText(id), timeout: self.upstream.route.callTimeout, life: self.life),
            payload: message, delegate: AnswerWaiter { _ in })
    }
}
