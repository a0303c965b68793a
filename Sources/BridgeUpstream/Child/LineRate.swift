import NIOCore

/// Lets through so many lines a second and counts the others. Pure: times come in.
struct LineRate {
    private let limit: Int
    private var windowEnd: NIODeadline = .uptimeNanoseconds(0)
    private var used = 0
    /// Lines not let through since the last ``takeDropped()``.
    private(set) var dropped = 0

    init(perSecond limit: Int) {
        self.limit = limit
    }

    mutating func admits(now: NIODeadline) -> Bool {
        if now >= self.windowEnd {
            self.windowEnd = now + .seconds(1)
            self.used = 0
        }
        guard self.used < self.limit else {
            self.dropped += 1
            return false
        }
        self.used += 1
        return true
    }

    /// Counts lines that nobody looked at.
    mutating func drop(_ count: Int) {
        self.dropped += count
    }

    mutating func takeDropped() -> Int {
        defer { self.dropped = 0 }
        return self.dropped
    }
}
