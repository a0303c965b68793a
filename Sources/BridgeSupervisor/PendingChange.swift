/// A change of the upstreams that is answered only once it is known whether it works.
final class PendingChange {
    enum Outcome {
        case works, fails
        /// The service stops, and nobody will ever know.
        case abandoned
    }

    private static let start = SuspendingClock.now

    private var patience: ChangePatience
    private let hasBegun: () -> Bool
    private let verdict: () -> Bool?
    private let done: (Outcome) -> Void

    /// - Parameters:
    ///   - patience: from when it has begun.
    ///   - delay: how long that may take.
    ///   - hasBegun: whether the processes that it is about have begun.
    ///   - verdict: whether it works; nil while that is open.
    ///   - done: called once.
    init(
        patience: Duration, beginningWithin delay: Duration = .zero, hasBegun: @escaping () -> Bool = { true },
        verdict: @escaping () -> Bool?, done: @escaping (Outcome) -> Void
    ) {
        self.patience = ChangePatience(patience, beginningWithin: delay, at: Self.now)
        self.hasBegun = hasBegun
        self.verdict = verdict
        self.done = done
    }

    private(set) var isDone = false

    func check() {
        guard !self.isDone else { return }
        if self.patience.isOver(at: Self.now, hasBegun: self.hasBegun()) {
            self.end(.fails)
        } else if let works = self.verdict() {
            self.end(works ? .works : .fails)
        }
    }

    func abandon() {
        if !self.isDone { self.end(.abandoned) }
    }

    private func end(_ outcome: Outcome) {
        self.isDone = true
        self.done(outcome)
    }

    private static var now: Duration { SuspendingClock.now - Self.start }
}
