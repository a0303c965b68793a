import BridgeFiles

/// What the process thread does later. There are few of them.
struct ProcessTimers {
    private var pending: [(deadline: SuspendingClock.Instant, action: () -> Void)] = []

    mutating func schedule(at deadline: SuspendingClock.Instant, _ action: @escaping () -> Void) {
        let index = self.pending.firstIndex { $0.deadline > deadline } ?? self.pending.endIndex
        self.pending.insert((deadline, action), at: index)
    }

    /// Takes those that are due, the earliest first.
    mutating func due(at now: SuspendingClock.Instant) -> [() -> Void] {
        let end = self.pending.firstIndex { $0.deadline > now } ?? self.pending.endIndex
        defer { self.pending.removeSubrange(..<end) }
        return self.pending[..<end].map(\.action)
    }

    /// For poll(2): milliseconds, rounded up; -1 when nothing is pending.
    func timeout(from now: SuspendingClock.Instant) -> CInt {
        self.pending.first.map { DescriptorIO.milliseconds(until: $0.deadline, from: now) } ?? -1
    }
}
