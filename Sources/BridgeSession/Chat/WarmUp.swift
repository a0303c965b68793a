import BridgeCore

/// When a source is asked for one word, so that its user's consent is there before anybody waits for an answer.
///
/// Pure: times come in, as durations since any moment, and draws. It asks once at a time: each question may open a window
/// on somebody's screen.
struct WarmUp {
    enum State: Equatable {
        /// To be asked from then on.
        case cold(from: Duration)
        /// Asked; since when.
        case asked(since: Duration)
        /// It has answered.
        case ready
        /// Its user has refused, or it cannot sample: it is left alone until somebody wants it.
        case stopped
    }

    private(set) var state: State
    /// Between two failures: 1 second at first, 5 minutes at most.
    private var backoff = Backoff(base: .seconds(1), maximum: .seconds(300), forgivenAfter: .seconds(1 << 40))
    private var lastAsked: Duration?

    /// How long an answer is waited for. A window may stand open as long.
    static let patience = Duration.seconds(300)
    /// Whoever wants it moves the next question to now, but not nearer to the last than this.
    private static let pause = Duration.seconds(1)

    init(now: Duration) { self.state = .cold(from: now) }

    var isReady: Bool { self.state == .ready }

    /// Whether it is to be asked now. It counts as asked then.
    mutating func asks(now: Duration) -> Bool {
        switch self.state {
        case .cold(let from) where from <= now:
            self.state = .asked(since: now)
            self.lastAsked = now
            return true
        case .cold, .asked, .ready, .stopped: return false
        }
    }

    /// Whether the answer has been waited for too long.
    func isOverdue(now: Duration) -> Bool {
        guard case .asked(let since) = self.state else { return false }
        return now - since >= Self.patience
    }

    /// It has answered, this question or any other.
    mutating func answered() {
        self.state = .ready
        self.backoff.forgive()
    }

    /// It could not be asked, has not answered, or not well.
    mutating func failed(now: Duration, draw: Double) {
        guard case .asked = self.state else { return }
        self.state = .cold(from: now + self.backoff.failed(draw: draw))
    }

    /// It will not.
    mutating func refused() {
        if case .asked = self.state { self.state = .stopped }
    }

    /// Somebody wants it: its client has called `hook`, or there is a request.
    mutating func wanted(now: Duration) {
        switch self.state {
        case .cold(let from): self.state = .cold(from: min(from, self.soon(now)))
        case .stopped: self.state = .cold(from: self.soon(now))
        case .asked, .ready: break
        }
    }

    private func soon(_ now: Duration) -> Duration { max(now, self.lastAsked.map { $0 + Self.pause } ?? now) }
}
