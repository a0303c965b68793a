import BridgeCore
import BridgeMCP
import NIOCore

/// A `sleep` call on its way: some steps at even distances, the last of which ends it.
struct DemoNap {
    let id: RPCID
    let revision: ProtocolRevision
    let progressToken: JSONText?
    let steps: Int
    let secondsText: String
    /// The task that it runs as, where it does.
    var task: String?
    private let start: SuspendingClock.Instant
    private let length: Duration
    private var done = 0

    init(_ request: DemoRequest, seconds: JSONText, steps: Int, start: SuspendingClock.Instant) {
        // Copies, so that a nap does not keep the buffer that its request was read into.
        self.id = RPCID(request.id.text.detached) ?? request.id
        // Anything else is no token, and reporting progress is optional.
        let token = request.message.progressToken.map { request.message.text[$0] }.flatMap(RPCID.init)
        self.progressToken = token?.text.detached
        self.revision = request.revision
        self.steps = steps
        self.secondsText = seconds.description
        self.start = start
        self.length = .seconds(seconds.double ?? 0)
    }

    var isOver: Bool { self.done == self.steps }

    var nextDeadline: SuspendingClock.Instant {
        self.start.advanced(by: self.length * (self.done + 1) / self.steps)
    }

    /// The next step that is due by `now`, counted from 1.
    mutating func step(at now: SuspendingClock.Instant) -> Int? {
        guard !self.isOver, self.nextDeadline <= now else { return nil }
        self.done += 1
        return self.done
    }
}
