import NIOCore

/// When a transfer has taken too long. Time is passed in.
struct TransferClock {
    enum Verdict: Equatable {
        case late
        case silent
        /// Look again then; `nil` when there is nothing to wait for.
        case wait(until: NIODeadline?)
    }

    private let end: NIODeadline?
    private let idle: TimeAmount?
    /// When the body was last heard of; `nil` while silence does not count.
    private var heard: NIODeadline?

    init(_ limits: TransferLimits, now: NIODeadline) {
        self.end = limits.total.map { now + $0 }
        self.idle = limits.idle
    }

    /// Whether ``listen(now:)`` needs to be told the time.
    var countsSilence: Bool { self.idle != nil }

    /// Something was heard, or silence counts from now on.
    mutating func listen(now: NIODeadline) { self.heard = now }

    mutating func ignoreSilence() { self.heard = nil }

    func verdict(at now: NIODeadline) -> Verdict {
        if let end, now >= end { return .late }
        guard let heard, let idle else { return .wait(until: self.end) }
        if now >= heard + idle { return .silent }
        return .wait(until: min(heard + idle, self.end ?? .distantFuture))
    }
}
