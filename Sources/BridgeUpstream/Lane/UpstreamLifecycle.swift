import BridgeConfiguration
import BridgeCore
import NIOCore

/// Decides when the connection to an upstream is made, ended and made again.
///
/// Pure: it starts nothing, reads no clock and draws no random number. The caller reports what happened and carries out
/// the action that comes back.
struct UpstreamLifecycle: ~Copyable {
    enum Action: Equatable {
        case none
        /// Start a child and shake hands with it.
        case connect
        /// End the connection and every process behind it, then report ``ended(now:)``. `failWaiting`: the calls that
        /// waited for this attempt have had theirs.
        case end(failWaiting: Bool)
        /// Report ``delayOver(now:)`` at this time.
        case wait(until: NIODeadline)
        /// There is nothing to wait for: what needs the upstream fails.
        case refuse
        /// Nothing runs any more, and nothing will.
        case finish
    }

    /// A connection that had proved itself is made again at once when it is lost, but not more often than this.
    static let immediateInterval = TimeAmount.seconds(60)
    /// An attempt that a call asks for comes this long after the last one failed, so that a caller in a loop does not
    /// become a loop of processes.
    static let floor = TimeAmount.milliseconds(100)

    private enum Next: Equatable {
        case connect
        case backoff(until: NIODeadline, floor: NIODeadline)
        case idle
        case stop
    }

    private enum State {
        /// Nothing runs until something needs it. May move to `connecting` or `stopped`.
        case idle
        /// A child is being started, or has not answered `initialize`. May move to `initialized`, `ending` or `failed`.
        case connecting
        /// Calls flow; its list has not been read yet. May move to `ready` or `ending`.
        case initialized
        /// May move to `ending`.
        case ready(since: NIODeadline)
        /// The connection is over; its processes are being ended. May move to whatever is next.
        case ending(Next)
        /// May move to `connecting` or `stopped`.
        case backoff(until: NIODeadline, floor: NIODeadline)
        /// The configuration cannot be served. May move to `connecting` with another one, or to `stopped`.
        case failed
        case stopped
    }

    private var state = State.idle
    private var backoff: Backoff
    private var peace: Peace
    private var lastImmediate: NIODeadline?

    init(policy: ReconnectPolicy) {
        self.backoff = Backoff(policy)
        self.peace = Peace(policy: policy)
    }

    var phase: UpstreamPhase {
        switch self.state {
        case .idle, .ending(.idle): .idle
        case .connecting, .initialized, .ending(.connect): .connecting
        case .ready: .ready
        case .backoff, .ending(.backoff): .backoff
        case .failed: .failed
        case .stopped, .ending(.stop): .stopped
        }
    }

    /// Failures in a row on the way to a connection, those included that were connected and lost before ten good seconds;
    /// none while it is ready.
    var attempts: Int {
        switch self.state {
        case .ready: 0
        case .idle, .connecting, .initialized, .ending, .backoff, .failed, .stopped: self.backoff.failures
        }
    }

    /// Whether calls may be written.
    var isConnected: Bool {
        switch self.state {
        case .initialized, .ready: true
        case .idle, .connecting, .ending, .backoff, .failed, .stopped: false
        }
    }

    /// When the next attempt is made by itself.
    var nextAttempt: NIODeadline? {
        switch self.state {
        case .backoff(let until, _), .ending(.backoff(let until, _)): until
        case .idle, .connecting, .initialized, .ready, .ending, .failed, .stopped: nil
        }
    }

    /// For how long no call brings the upstream up, since the server wants to be left in peace; `nil` where it may.
    func peace(now: NIODeadline) -> TimeAmount? {
        switch self.state {
        case .backoff(_, let floor), .ending(.backoff(_, let floor)): floor - now > Self.floor ? floor - now : nil
        case .idle, .connecting, .initialized, .ready, .ending, .failed, .stopped: nil
        }
    }

    // MARK: Progress of an attempt

    /// Begins with the service, when the upstream is not lazy.
    mutating func start() -> Action {
        guard case .idle = self.state else { return .none }
        return self.connect()
    }

    /// What was to be connected to is of a kind that is not served. Nothing has been started.
    mutating func unservable() -> Action {
        guard case .connecting = self.state else { return .none }
        self.state = .failed
        return .refuse
    }

    /// The upstream has answered `initialize`.
    mutating func initialized() -> Bool {
        guard case .connecting = self.state else { return false }
        self.state = .initialized
        return true
    }

    /// The first list has been read, or is known not to come.
    mutating func listed(now: NIODeadline) {
        guard case .initialized = self.state else { return }
        self.state = .ready(since: now)
        self.peace.over()
    }

    /// The child has exited, could not be started, closed its output, did not answer in time, or answered nonsense.
    ///
    /// It is a failure unless the connection had been ready for ten seconds: a server that starts well and dies soon is
    /// started ever more slowly. Calls that have not been written get their one attempt all the same.
    ///
    /// - Parameters:
    ///   - callsWait: whether calls are there that have not been written.
    ///   - peace: for how long the server wants to be left in peace, where it has said so: then it has not failed.
    ///   - random: in 0..<1, the delay's jitter.
    mutating func lost(callsWait: Bool, peace: TimeAmount? = nil, now: NIODeadline, random: Double) -> Action {
        switch self.state {
        case .connecting where peace != nil, .initialized where peace != nil, .ready where peace != nil:
            let plan = self.peace.wanted(peace ?? .zero, callsWait: callsWait, now: now, random: random)
            self.state = .ending(.backoff(until: plan.until, floor: plan.floor))
            return .end(failWaiting: !plan.callsWait)
        case .connecting, .initialized:
            let delay = self.backoff.failed(draw: random)
            self.state = .ending(.backoff(until: now + TimeAmount(delay), floor: now + Self.floor))
            return .end(failWaiting: true)
        case .ready(let since):
            self.state = .ending(self.next(afterGood: Duration(now - since), callsWait, now, random))
            return .end(failWaiting: false)
        case .idle, .ending, .backoff, .failed, .stopped: return .none
        }
    }

    private mutating func next(
        afterGood good: Duration, _ callsWait: Bool, _ now: NIODeadline, _ random: Double
    ) -> Next {
        let isProven = self.backoff.forgives(good)
        if isProven, callsWait || self.mayReconnectAtOnce(now) {
            self.backoff.forgive()
            return .connect
        }
        let delay = self.backoff.failed(afterGood: good, draw: random)
        let floor = isProven ? now : now + Self.floor
        return .backoff(until: callsWait ? floor : now + TimeAmount(delay), floor: floor)
    }

    private mutating func mayReconnectAtOnce(_ now: NIODeadline) -> Bool {
        if let last = self.lastImmediate, now < last + Self.immediateInterval { return false }
        self.lastImmediate = now
        return true
    }

    /// No process of the connection is left.
    mutating func ended(now: NIODeadline) -> Action {
        guard case .ending(let next) = self.state else { return .none }
        switch next {
        case .connect:
            return self.connect()
        case .backoff(let until, let floor):
            guard now < until else { return self.connect() }
            self.state = .backoff(until: until, floor: floor)
            return .wait(until: until)
        case .idle:
            self.state = .idle
            return .none
        case .stop:
            self.state = .stopped
            return .finish
        }
    }

    /// - Parameter isNeeded: whether it is wanted at all; else nothing runs until somebody calls.
    mutating func delayOver(now: NIODeadline, isNeeded: Bool = true) -> Action {
        guard case .backoff(let until, _) = self.state, now >= until else { return .none }
        guard isNeeded else {
            self.state = .idle
            return .none
        }
        return self.connect()
    }

    private mutating func connect() -> Action {
        self.state = .connecting
        return .connect
    }
}

// MARK: - Wishes

extension UpstreamLifecycle {
    /// A call arrived: bring the upstream up now. A delay is cut short for it.
    mutating func needed(now: NIODeadline) -> Action {
        switch self.state {
        case .idle:
            return self.connect()
        case .backoff(let until, let floor):
            guard now < floor else { return self.connect() }
            guard floor < until else { return .none }
            self.state = .backoff(until: floor, floor: floor)
            return .wait(until: floor)
        case .ending(.backoff(let until, let floor)):
            self.state = .ending(.backoff(until: min(until, max(now, floor)), floor: floor))
            return .none
        case .ending(.idle):
            self.state = .ending(.connect)
            return .none
        case .connecting, .initialized, .ready, .ending(.connect): return .none
        case .failed, .stopped, .ending(.stop): return .refuse
        }
    }

    /// Somebody wants the list: bring up what starts on demand. No delay is cut short for a list.
    mutating func wanted() -> Action {
        switch self.state {
        case .idle: return self.connect()
        case .ending(.idle):
            self.state = .ending(.connect)
            return .none
        case .connecting, .initialized, .ready, .ending, .backoff: return .none
        case .failed, .stopped: return .refuse
        }
    }

    /// Nobody has called for as long as the configuration allows.
    mutating func unused() -> Action {
        guard case .ready = self.state else { return .none }
        self.state = .ending(.idle)
        return .end(failWaiting: false)
    }

    /// The configuration has changed.
    ///
    /// - Parameter reconnect: whether the change is of a kind that a running child does not notice. What is started then is
    ///   something else, which has not failed yet.
    mutating func reconfigured(policy: ReconnectPolicy, reconnect: Bool) -> Action {
        self.backoff = Backoff(policy, failures: reconnect ? 0 : self.backoff.failures)
        self.peace.reconfigured(policy: policy, isAnew: reconnect)
        guard reconnect else { return .none }
        switch self.state {
        case .connecting, .initialized, .ready:
            self.state = .ending(.connect)
            return .end(failWaiting: false)
        case .ending(.backoff):
            self.state = .ending(.connect)
            return .none
        case .backoff, .failed:
            return self.connect()
        case .idle, .ending, .stopped: return .none
        }
    }

    mutating func stop() -> Action {
        switch self.state {
        case .idle, .backoff, .failed:
            self.state = .stopped
            return .finish
        case .connecting, .initialized, .ready:
            self.state = .ending(.stop)
            return .end(failWaiting: true)
        case .ending:
            self.state = .ending(.stop)
            return .none
        case .stopped: return .none
        }
    }
}
