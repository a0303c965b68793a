import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// A request about one task: how it is, what came of it, or that it is to end.
final class TaskInquiry: CallCourse {
    weak var call: Call?
    private let tasks: TaskDesk
    private let request: PendingRequest
    private let claims: TaskClaims
    /// As the client calls it.
    private let name: String
    private let upstream: UpstreamLink
    private var hasAskedAgain = false
    /// How long the client waits for the answer.
    let limit: Seconds

    /// A request that waits for a task to end does so for as long as that is kept, and a little longer: who comes at the end
    /// of that time is answered by the server.
    private static let grace: UInt64 = 10

    init(
        _ tasks: TaskDesk, _ request: PendingRequest, _ claims: TaskClaims, _ name: String, _ upstream: UpstreamLink
    ) {
        self.tasks = tasks
        self.request = request
        self.claims = claims
        self.name = name
        self.upstream = upstream
        let callLimit = upstream.route.callTimeout
        guard request.method.name == "tasks/result" else {
            self.limit = callLimit
            return
        }
        let end = (tasks.records[claims.key]?.until ?? claims.expires) + Self.grace
        let now = WallClock.seconds()
        self.limit = max(Seconds(end > now ? Double(end - now) : 0), callLimit)
    }

    /// Whether it waits for the task to end.
    var isPatient: Bool { self.request.method.name == "tasks/result" }
    func waits(for key: TaskKey) -> Bool { self.isPatient && key == self.claims.key }

    var life: Int { self.claims.key.life }
    /// The client is told by this side, which knows what the limit is.
    var serverTimeout: Seconds? { self.isPatient ? Seconds(self.limit.rawValue + 60) : nil }
    var lateness: ToldFault? {
        self.isPatient ? .endlessTask(self.upstream.route.name, after: self.limit) : nil
    }

    func answered(_ response: ByteBuffer, _ end: UpstreamEnd) -> CallStep {
        if let failure = end.failure { return self.failed(failure, response) }
        let text = JSONText(trusting: response)
        guard text.member("result") != nil else {
            // Of one that the server does not know, no more is to be listed.
            if self.request.method.name == "tasks/get" {
                if TaskPage.isUnknown(text) { self.tasks.records.forget(self.claims.key) }
            } else {
                // It may be what came of the task, or say that the task goes on.
                self.tasks.look(at: self.claims, at: self.upstream, self.request.requestID, for: self.request.caller)
            }
            return .answer(response)
        }
        guard !self.isPatient else {
            self.tasks.records.heard(self.claims, ttl: nil, isOver: true)
            return .answer(TaskMessages.toldResult(response, of: self.claims.key.ownID, as: self.name))
        }
        let state = TaskMessages.state(response)
        self.tasks.records.heard(self.claims, ttl: state?.ttl, isOver: state?.status?.isFinal == true)
        return .answer(TaskMessages.told(response, self.told))
    }

    /// The bridge has answered in the server's place.
    private func failed(_ failure: String, _ response: ByteBuffer) -> CallStep {
        if failure == Fault.unknownTask.word { self.tasks.records.forget(self.claims.key) }
        // The connection was lost: whoever asks once more hears what became of the task. Who has been asked something is not
        // to be asked it again.
        guard failure == Fault.outcomeUnknown.word, self.request.method.onlyReads, !self.hasAskedAgain,
            self.call?.asked == nil
        else { return .answer(response) }
        self.hasAskedAgain = true
        let header = self.tasks.desk.header(
            of: self.request, naming: JSONText(self.claims.key.ownID), timeout: self.serverTimeout ?? self.limit,
            life: self.life)
        self.call?.ask(self.request.message.text.bytes, header: header, hasRun: false)
        return .goOn
    }

    func said(_ message: ByteBuffer) -> ByteBuffer { TaskMessages.told(message, self.told) }

    private func told(_ id: String) -> String? { id == self.claims.key.ownID ? self.name : nil }
}
