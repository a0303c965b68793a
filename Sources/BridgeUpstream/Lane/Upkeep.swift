import BridgeMCP
import NIOCore

/// Decides when a connected upstream is asked for its lists, pinged, given up as mute, or let go as unused.
///
/// It goes by silence. A server that hangs says nothing at all; but so does one that does one thing at a time, while it is
/// at a long call. So a ping that is not answered in its time, with not a byte since it was sent, ends nothing yet where
/// calls are under way: it only keeps further calls from being written. Those that are under way end, each by its own
/// limit at the latest, and if there is silence still, the upstream is mute. Without the holding back, steady calls would
/// keep a hung server for ever. The first byte ends all that.
///
/// Pure: times come in, tasks come out.
struct Upkeep {
    struct Intervals: Equatable {
        var refresh: TimeAmount
        var ping: TimeAmount
        var pingTimeout: TimeAmount
        /// `nil`: never let go.
        var idleStop: TimeAmount?
        /// From `list_changed` to the list, so that a burst of them costs one.
        var debounce: TimeAmount = .milliseconds(100)
        /// From a list that failed to the next.
        var retry: TimeAmount = .seconds(30)
    }

    enum Task: Equatable {
        /// Read a list, then report ``listFinished(_:succeeded:now:)``.
        case list(Offering)
        /// Send a ping. Its answer needs no report of its own beside ``heard(now:)``.
        case ping
        /// Write no further calls until ``isSilent`` is false: the upstream is busy, or it hangs.
        case hold
        /// The upstream said nothing after a ping, and no call is under way.
        case mute
        /// Nobody has called for the whole of `idleStop`.
        case unused
    }

    private enum Ping {
        case next(NIODeadline)
        /// Nothing has been heard since.
        case sent(deadline: NIODeadline)
        /// The same, beyond the deadline.
        case unanswered
    }

    private enum List {
        case next(NIODeadline)
        case running(again: Bool)
    }

    private struct Connection {
        var ping: Ping
        /// Of what it offers, in no order.
        var lists: [Offering: List]
        var idleSince: NIODeadline
    }

    var intervals: Intervals
    private var connection: Connection?
    private var isBusy = false

    init(_ intervals: Intervals) {
        self.intervals = intervals
    }

    /// - Parameter lists: what it has lists of, which are due at once.
    mutating func connected(lists: [Offering], now: NIODeadline) {
        self.connection = Connection(
            ping: .next(now + self.intervals.ping),
            lists: Dictionary(lists.map { ($0, .next(now)) }, uniquingKeysWith: { first, _ in first }), idleSince: now
        )
    }

    mutating func disconnected() {
        self.connection = nil
    }

    /// The upstream says that a list of its has changed.
    mutating func listChanged(_ offering: Offering, now: NIODeadline) {
        let soon = now + self.intervals.debounce
        switch self.connection?.lists[offering] {
        case .next(let due): self.connection?.lists[offering] = .next(min(due, soon))
        case .running: self.connection?.lists[offering] = .running(again: true)
        case nil: self.connection?.lists[offering] = .next(soon)
        }
    }

    mutating func listFinished(_ offering: Offering, succeeded: Bool, now: NIODeadline) {
        guard case .running(let again) = self.connection?.lists[offering] else { return }
        let delay =
            again
            ? self.intervals.debounce
            : succeeded ? self.intervals.refresh : min(self.intervals.refresh, self.intervals.retry)
        self.connection?.lists[offering] = .next(now + delay)
    }

    /// The upstream has written something, whatever it is.
    ///
    /// - Returns: whether that was being waited for.
    mutating func heard(now: NIODeadline) -> Bool {
        switch self.connection?.ping {
        case .sent, .unanswered:
            self.connection?.ping = .next(now + self.intervals.ping)
            return true
        case .next, nil: return false
        }
    }

    /// Whether further calls are held back.
    var isSilent: Bool {
        if case .unanswered = self.connection?.ping { true } else { false }
    }

    /// Calls are there, written or not, or none is any more.
    mutating func busy(_ isBusy: Bool, now: NIODeadline) {
        self.isBusy = isBusy
        self.connection?.idleSince = now
    }

    /// When ``due(now:callsUnderWay:)`` has something to say at the earliest. While ``isSilent``, also as soon as no call is
    /// under way any more.
    var next: NIODeadline? {
        guard let connection else { return nil }
        var times: [NIODeadline?] = [self.unusedAt]
        switch connection.ping {
        case .next(let due): times.append(due)
        case .sent(let deadline): times.append(deadline)
        case .unanswered: break
        }
        for case .next(let due) in connection.lists.values { times.append(due) }
        return times.compactMap { $0 }.min()
    }

    /// When the upstream is let go, if nobody calls until then. Not while it is being listed.
    private var unusedAt: NIODeadline? {
        guard let connection, let idleStop = self.intervals.idleStop, !self.isBusy else { return nil }
        for case .running in connection.lists.values { return nil }
        return connection.idleSince + idleStop
    }

    /// - Parameter callsUnderWay: whether calls have been written that are neither answered nor given up.
    mutating func due(now: NIODeadline, callsUnderWay: Bool) -> [Task] {
        guard let connection else { return [] }
        var tasks: [Task] = []
        for (offering, list) in connection.lists {
            guard case .next(let due) = list, now >= due else { continue }
            self.connection?.lists[offering] = .running(again: false)
            tasks.append(.list(offering))
        }
        switch connection.ping {
        case .next(let due) where now >= due:
            self.connection?.ping = .sent(deadline: now + self.intervals.pingTimeout)
            tasks.append(.ping)
        case .sent(let deadline) where now >= deadline && callsUnderWay:
            self.connection?.ping = .unanswered
            tasks.append(.hold)
        case .sent(let deadline) where now >= deadline: return self.end(.mute)
        case .unanswered where !callsUnderWay: return self.end(.mute)
        case .next, .sent, .unanswered: break
        }
        if let unusedAt = self.unusedAt, now >= unusedAt { return self.end(.unused) }
        return tasks
    }

    private mutating func end(_ task: Task) -> [Task] {
        self.connection = nil
        return [task]
    }
}
