import BridgeCore

/// How soon a worker that ended is started again.
///
/// | ended | delay |
/// |---|---|
/// | the first time, after 10 s of service | none |
/// | then | 100 ms, 200 ms, … doubling to 60 s, each drawn from its upper half |
/// | five times in a row before 10 s of service | failed: tried again every 60 s |
package struct RestartPolicy: Sendable, Equatable {
    package var provenAfter: Duration = .seconds(10)
    package var firstDelay: Duration = .milliseconds(100)
    package var longestDelay: Duration = .seconds(60)
    package var forgivenAfter: Duration = .seconds(300)
    package var quickFailuresAllowed = 5

    package init() {}

    /// For what the whole service needs: as above, but never later than 2 s. While it is away, every client waits.
    package static var essential: RestartPolicy {
        var policy = RestartPolicy()
        policy.longestDelay = .seconds(2)
        return policy
    }
}

/// Decides what the supervisor does with one worker process.
///
/// Pure: it spawns nothing, sleeps nowhere and reads no clock. Times are measured from one arbitrary instant.
package struct WorkerLifecycle: ~Copyable {
    package enum Action: Equatable, Sendable {
        case spawn
        case restart(after: Duration)
        /// It asked not to be restarted, or was asked to stop.
        case leave
        case none
    }

    package enum Phase: String, Sendable {
        case idle, starting, ready, waiting, failed, stopping, stopped, refused

        /// Whether a worker in this phase is started, at once, for another configuration than the one it had: what it ended
        /// of may be mended.
        package var startsForAnotherConfiguration: Bool {
            switch self {
            case .waiting, .failed, .refused: true
            case .idle, .starting, .ready, .stopping, .stopped: false
            }
        }
    }

    private enum State {
        case idle
        /// Spawned, and not yet ready.
        case starting
        case ready(since: Duration)
        /// Ended; a timer will start it again.
        case waiting(failed: Bool)
        /// Asked to end; perhaps to make room for a new process with another configuration.
        case stopping(replaced: Bool)
        case stopped
        /// Ended with the wish not to be restarted.
        case refused
    }

    /// The exit code by which a worker asks not to be restarted: its configuration is at fault (EX_CONFIG).
    package static let doNotRestart: Int32 = 78

    private var state = State.idle
    private let policy: RestartPolicy
    /// Counts the delays since the last 5 stable minutes.
    private var backoff: Backoff
    /// Whether it has ended since then.
    private var hasEnded = false
    /// Ends in a row before it had served for 10 s.
    private var quickFailures = 0
    package private(set) var restarts = 0

    package init(policy: RestartPolicy = RestartPolicy()) {
        self.policy = policy
        self.backoff = Backoff(
            base: policy.firstDelay, maximum: policy.longestDelay, forgivenAfter: policy.forgivenAfter
        )
    }

    package var phase: Phase {
        switch self.state {
        case .idle: .idle
        case .starting: .starting
        case .ready: .ready
        case .waiting(let failed): failed ? .failed : .waiting
        case .stopping: .stopping
        case .stopped: .stopped
        case .refused: .refused
        }
    }

    package mutating func start() -> Action {
        switch self.state {
        case .idle, .stopped, .refused:
            self.state = .starting
            return .spawn
        case .starting, .ready, .waiting, .stopping:
            return .none
        }
    }

    package mutating func ready(at now: Duration) {
        switch self.state {
        case .starting: self.state = .ready(since: now)
        case .idle, .ready, .waiting, .stopping, .stopped, .refused: break
        }
    }

    /// The process has ended, or could not be started.
    ///
    /// - Parameters:
    ///   - code: its exit code, if it exited.
    ///   - draw: a random number from 0 up to 1, for the delay.
    package mutating func exited(code: Int32?, at now: Duration, draw: Double) -> Action {
        switch self.state {
        case .starting: return self.fail(served: .zero, code: code, draw: draw)
        case .ready(let since): return self.fail(served: now - since, code: code, draw: draw)
        case .stopping(replaced: false):
            self.state = .stopped
            return .leave
        case .stopping(replaced: true):
            self.state = .starting
            return .spawn
        case .idle, .waiting, .stopped, .refused: return .none
        }
    }

    /// The delay of ``Action/restart(after:)`` is over.
    package mutating func delayIsOver() -> Action {
        switch self.state {
        case .waiting:
            self.state = .starting
            self.restarts += 1
            return .spawn
        case .idle, .starting, .ready, .stopping, .stopped, .refused: return .none
        }
    }

    /// - Returns: whether there is a process to end; its end will be told by ``exited(code:at:draw:)``.
    package mutating func stop() -> Bool {
        switch self.state {
        case .starting, .ready, .stopping:
            self.state = .stopping(replaced: false)
            return true
        case .idle, .waiting, .stopped, .refused:
            self.state = .stopped
            return false
        }
    }

    /// Wants a new process in place of this one, if there is one; its end counts as no failure.
    ///
    /// - Returns: whether there is a process to end. Without one, ``start()`` it: what its configuration was to blame for
    ///   is forgotten, and a delay that runs is not waited for.
    package mutating func replace() -> Bool {
        switch self.state {
        case .starting, .ready:
            self.state = .stopping(replaced: true)
            return true
        case .stopping:
            return true
        case .idle, .waiting, .stopped, .refused:
            self.state = .idle
            self.forgive()
            self.quickFailures = 0
            return false
        }
    }

    private mutating func fail(served: Duration, code: Int32?, draw: Double) -> Action {
        if code == Self.doNotRestart {
            self.state = .refused
            return .leave
        }
        if self.backoff.forgives(served) { self.forgive() }
        let isFirst = !self.hasEnded
        self.hasEnded = true
        let isProven = served >= self.policy.provenAfter
        self.quickFailures = isProven ? 0 : self.quickFailures + 1
        guard self.quickFailures < self.policy.quickFailuresAllowed else {
            self.state = .waiting(failed: true)
            return .restart(after: self.policy.longestDelay)
        }
        self.state = .waiting(failed: false)
        if isProven, isFirst { return .restart(after: .zero) }
        return .restart(after: self.backoff.failed(draw: draw))
    }

    private mutating func forgive() {
        self.backoff.forgive()
        self.hasEnded = false
    }
}
