import Glibc

/// Decides how a tree of processes is ended: signal by signal, each with its time.
///
/// Pure: it reads no clock, lists no process and sends nothing. The caller looks at the tree whenever it is told to and
/// carries out what comes back.
package struct TreeTeardown: Sendable {
    /// Applies to processes that appear while it lasts, too.
    package struct Step: Hashable, Sendable {
        /// `nil` only waits, for processes that have been told in another way.
        package let signal: CInt?
        package let patience: Duration

        package init(_ signal: CInt?, patience: Duration) {
            self.signal = signal
            self.patience = patience
        }
    }

    package enum Action: Hashable, Sendable {
        /// Send it to these, which do not have it yet, and look again at that time.
        case signal(CInt, Set<ProcessIdentity>, lookAgain: SuspendingClock.Instant)
        case wait(lookAgain: SuspendingClock.Instant)
        /// Nobody is left.
        case finished
        /// All steps are over and these are left.
        case gaveUp(Set<ProcessIdentity>)
    }

    private enum State {
        /// Nobody has looked yet.
        case waiting
        /// A step runs. `told` have its signal; `delay` is the time between the last two looks.
        case running(step: Int, until: SuspendingClock.Instant, told: Set<ProcessIdentity>, delay: Duration)
        case over(Action)
    }

    private static let firstDelay = Duration.milliseconds(1)
    private static let longestDelay = Duration.milliseconds(32)

    private let steps: [Step]
    private var state = State.waiting

    package init(steps: [Step]) {
        self.steps = steps
    }

    /// Somebody looked at the tree.
    package mutating func looked(
        alive: Set<ProcessIdentity>,
        at now: SuspendingClock.Instant
    ) -> Action {
        switch self.state {
        case .over(let action):
            return action
        case .waiting:
            if alive.isEmpty { return self.end(.finished) }
            return self.begin(step: 0, alive: alive, at: now)
        case .running(let step, let until, let told, let delay):
            if alive.isEmpty { return self.end(.finished) }
            if now >= until { return self.begin(step: step + 1, alive: alive, at: now) }
            return self.proceed(
                step: step,
                until: until,
                told: told,
                delay: min(delay * 2, Self.longestDelay),
                alive: alive,
                at: now
            )
        }
    }

    private mutating func begin(
        step: Int,
        alive: Set<ProcessIdentity>,
        at now: SuspendingClock.Instant
    ) -> Action {
        guard step < self.steps.count else { return self.end(.gaveUp(alive)) }
        let until = now.advanced(by: self.steps[step].patience)
        return self.proceed(step: step, until: until, told: [], delay: Self.firstDelay, alive: alive, at: now)
    }

    private mutating func proceed(
        step: Int,
        until: SuspendingClock.Instant,
        told: Set<ProcessIdentity>,
        delay: Duration,
        alive: Set<ProcessIdentity>,
        at now: SuspendingClock.Instant
    ) -> Action {
        let new = alive.subtracting(told)
        // Somebody new may have started others: look again soon.
        let delay = new.isEmpty ? delay : Self.firstDelay
        self.state = .running(step: step, until: until, told: alive, delay: delay)
        let lookAgain = min(now.advanced(by: delay), until)
        guard let signal = self.steps[step].signal, !new.isEmpty else { return .wait(lookAgain: lookAgain) }
        return .signal(signal, new, lookAgain: lookAgain)
    }

    private mutating func end(_ action: Action) -> Action {
        self.state = .over(action)
        return action
    }
}

extension [TreeTeardown.Step] {
    /// SIGTERM and then SIGKILL, both bounded.
    ///
    /// - Parameter grace: for processes to leave by themselves, when they have been told (their stdin closed).
    package static func termThenKill(
        grace: Duration = .zero,
        term: Duration = .seconds(5),
        kill: Duration = .seconds(2)
    ) -> [TreeTeardown.Step] {
        let waiting: [TreeTeardown.Step] = grace > .zero ? [.init(nil, patience: grace)] : []
        return waiting + [.init(SIGTERM, patience: term), .init(SIGKILL, patience: kill)]
    }
}
