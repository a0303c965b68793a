/// Notices that a loop which is to beat regularly stood still: its process was stopped, or something held it up.
///
/// Pure; times are measured from one arbitrary instant.
package struct Heartbeat: Sendable, Equatable {
    /// Between two beats.
    package let interval: Duration
    /// A beat that is no later than this is on time.
    package let tolerance: Duration

    private var due: Duration?

    package init(interval: Duration = .seconds(1), tolerance: Duration = .seconds(2)) {
        self.interval = interval
        self.tolerance = tolerance
    }

    /// Counts a beat, and expects the next one an interval later.
    ///
    /// - Returns: how late this one is; nil when it is on time.
    package mutating func beat(at now: Duration) -> Duration? {
        let lateness = self.due.map { now - $0 } ?? .zero
        self.due = now + self.interval
        return lateness > self.tolerance ? lateness : nil
    }
}
