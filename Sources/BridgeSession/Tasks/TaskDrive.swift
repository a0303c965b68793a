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
                self?.nextPoll = nil
                self?.ask("tasks/get", within: self?.limit)
            }
            return .goOn
        case .fetch:
            self.fetch()
            return .goOn
        case .answer(let answer): return .answer(answer)
        case .lost(let reason): return .fail(.lostTask(self.upstream.route.name, reason))
        }
    }

    /// The answer may take as long as the task does, of which the server says something meanwhile: only this side hears that,
    /// and so only this side counts the time without any news.
    private func fetch() { self.ask("tasks/result", within: Seconds(Double(self.ttl) / 1_000 + 60)) }

    private func ask(_ method: String, within limit: Seconds?) {
        let message = self.task.request(method, id: self.request.id.bytes)
        let header = self.tasks.desk.header(
            of: self.request, naming: self.task.id.map { JSONText($0) }, timeout: limit ?? self.limit, life: self.life)
        self.call?.ask(message, header: header, hasRun: true)
    }

    /// The server says something of the task.
    func heard(_ note: ByteBuffer, _ state: TaskState?) {
        guard let call else { return }
        if let state {
            let (step, hasNews) = self.task.noted(state, isAsking: self.nextPoll == nil)
            if hasNews { call.goesOn() }
            guard step == .fetch else { return }
            self.nextPoll?.cancel()
            self.nextPoll = nil
            return self.fetch()
        }
        let text = JSONText(trusting: note)
        if text.string("method") == "notifications/progress" {
            call.goesOn()
            return call.tell(progress: self.said(note))
        }
        if call.caller.wants(LogMessage.severity(of: note)) { call.stream.notify(self.said(note)) }
    }

    func said(_ message: ByteBuffer) -> ByteBuffer { TaskMessages.mapped(message) { _ in nil } }

    func callEnded() {
        self.nextPoll?.cancel()
        self.nextPoll = nil
        guard let key = self.key, !self.task.isOver else { return }
        self.tasks.cancel(key, at: self.upstream, self.request.requestID, for: self.request.caller)
    }
}
