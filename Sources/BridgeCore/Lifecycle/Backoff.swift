/// How long to wait before trying again what has failed.
///
/// Pure: it reads no clock and draws no random number. The ceiling doubles with each failure, and the delay is drawn from
/// its upper half. With a base of 1 s and a maximum of 60 s:
///
/// | failures before | delay |
/// |---|---|
/// | 0 | 0.5 to 1 s |
/// | 1 | 1 to 2 s |
/// | 2 | 2 to 4 s |
/// | 3 | 4 to 8 s |
/// | 4 | 8 to 16 s |
/// | 5 | 16 to 32 s |
/// | 6 and more | 30 to 60 s |
///
/// To start well forgives nothing. What starts well and dies soon, over and over, waits longer and longer; only good time
/// in one piece makes up for failures.
package struct Backoff: Sendable, Equatable {
    package let base: Duration
    package let maximum: Duration
    /// What was good for so long has made up for all failures before.
    package let forgivenAfter: Duration
    /// Failures that have not been forgiven.
    package private(set) var failures: Int

    package init(base: Duration, maximum: Duration, forgivenAfter: Duration = .seconds(10), failures: Int = 0) {
        self.base = base
        self.maximum = maximum
        self.forgivenAfter = forgivenAfter
        self.failures = failures
    }

    /// Counts a failure.
    ///
    /// - Parameters:
    ///   - good: how long it had been good until now; zero when it never was.
    ///   - draw: a random number from 0 up to 1. With 1 the delay is the ceiling itself.
    /// - Returns: how long to wait.
    package mutating func failed(afterGood good: Duration = .zero, draw: Double) -> Duration {
        if self.forgives(good) { self.forgive() }
        // 2^20 times any base that makes sense is above any maximum that does.
        let ceiling = min(self.base * (1 << min(self.failures, 20)), self.maximum)
        self.failures += 1
        return ceiling * (0.5 + 0.5 * min(max(draw, 0), 1))
    }

    /// Whether so much good time makes up for what was before.
    package func forgives(_ good: Duration) -> Bool { good >= self.forgivenAfter }

    package mutating func forgive() { self.failures = 0 }
}
