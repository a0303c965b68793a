import BridgeConfiguration
import BridgeCore
import NIOCore

/// How a server is left in peace that wants to be asked again later (`Retry-After`) when it is connected to.
///
/// It has not failed. But one that wants so again and again is asked ever more seldom, however soon it wants to be.
///
/// Pure: times and random numbers come in.
struct Peace {
    /// It is kept for so long at least and at most, whatever the server says.
    static let shortest = TimeAmount.seconds(1)
    static let longest = TimeAmount.hours(1)

    static func bounded(_ wanted: TimeAmount) -> TimeAmount { min(max(wanted, Self.shortest), Self.longest) }

    struct Plan: Equatable {
        /// No call cuts the delay shorter than to this.
        var floor: NIODeadline
        /// When the next attempt is made by itself.
        var until: NIODeadline
        /// Whether calls that have not been sent wait for that attempt.
        var callsWait: Bool
    }

    private var backoff: Backoff

    init(policy: ReconnectPolicy) {
        self.backoff = Backoff(policy)
    }

    /// - Parameter isAnew: whether what is connected to from now on is something else, which has said nothing yet.
    mutating func reconfigured(policy: ReconnectPolicy, isAnew: Bool) {
        self.backoff = Backoff(policy, failures: isAnew ? 0 : self.backoff.failures)
    }

    /// The server wants it. Calls wait for one more attempt, where that is soon; the next time they are told.
    mutating func wanted(_ time: TimeAmount, callsWait: Bool, now: NIODeadline, random: Double) -> Plan {
        let isSoon = self.backoff.failures == 0 && time <= .seconds(Int64(RetryAfter.longestWait))
        let delay = TimeAmount(self.backoff.failed(draw: random))
        let floor = now + Self.bounded(time)
        guard !(isSoon && callsWait) else { return Plan(floor: floor, until: floor, callsWait: true) }
        let jitter = TimeAmount.nanoseconds(Int64(random * Double(Self.shortest.nanoseconds)))
        return Plan(floor: floor, until: max(floor + jitter, now + delay), callsWait: isSoon)
    }

    /// The server is ready.
    mutating func over() { self.backoff.forgive() }
}
