/// Notices that a loop which is to beat regularly stood still: its process was stopped, or something held it up.
///
/// Pure; times are measured from one arbitrary instant.
package struct Heartbeat: Sendable, Equatable {
    /// Between two beats.
    package let interval: Duration
    /// A beat that is no later than this is on time.
    package let tolerance: Duration

    /// What is to be done at a beat, in this order.
    package enum Step: Sendable, Equatable {
        /// What was sent while the loop stood still comes before any verdict.
        case readNotifications
        /// Nobody was watched meanwhile: every watch begins anew.
        case renewWatches
        case checkWorkers
    }

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

    /// - Parameter lateness: what ``beat(at:)`` returned.
    package static func steps(after lateness: Duration?) -> [Step] {
        lateness == nil ? [.checkWorkers] : [.readNotifications, .renewWatches, .checkWorkers]
    }
}
