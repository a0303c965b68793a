package import NIOCore

/// How long to wait before a stream or a server is tried again: 1 s, each time 1.6 times as long, up to 30 s.
///
/// | failures before | delay |
/// |---|---|
/// | 0 | 1 s |
/// | 1 | 1.6 s |
/// | 2 | 2.56 s |
/// | 4 | 6.6 s |
/// | 8 and more | 30 s |
package struct ReconnectPace: Sendable, Hashable {
    package static let first = TimeAmount.seconds(1)
    package static let longest = TimeAmount.seconds(30)

    package private(set) var failures = 0

    package init() {}

    /// Counts a failure and says how long to wait.
    package mutating func failed() -> TimeAmount {
        var delay = Double(Self.first.nanoseconds)
        for _ in 0..<min(self.failures, 16) { delay *= 1.6 }
        self.failures += 1
        return .nanoseconds(min(Int64(delay), Self.longest.nanoseconds))
    }

    package mutating func succeeded() { self.failures = 0 }
}
