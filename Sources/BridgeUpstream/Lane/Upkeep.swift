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
        /// From `list_changed` to the list, so that a burst of them costs one. It grows (``ListPace``).
        var debounce: TimeAmount = .milliseconds(100)
        /// From a list that failed, or was not whole, to the next. It doubles up to `refresh`.
        var retry: TimeAmount = .seconds(30)
    }

    enum Task: Equatable {
        /// Read a list, then report ``listFinished(_:isNew:isWhole:now:)`` or ``listAbsent(_:)``.
        case list(Offering)
        /// Send a ping. Its answer needs no report of its own beside ``heard(now:)``.
        case ping
        /// Write no further calls until ``isSilent`` is false: the upstream is busy, or it hangs.
        case hold
        /// The upstream said nothing after a ping, and no call is under way.
        case mute
        /// Nobody has called, or waited for news, for the whole of `idleStop`.
        case unused
    }

    private enum Ping {
        case next(NIODeadline)
        /// Nothing has been heard since.
        case sent(deadline: NIODeadline)
        /// The same, beyond the deadline.
        case unanswered
    }

    private struct List {
        enum State {
            case next(NIODeadline)
            case running(again: Bool)
        }

        var state: State
        /// Whether the server has said that it changed.
        var isForChange = false
        var pace = ListPace()
        /// It is not asked for before that, since the server has said so.
        var floor = NIODeadline.distantPast
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
    /// Somebody waits for its news.
    private var isKept = false

    init(_ intervals: Intervals) {
        self.intervals = intervals
    }

    /// - Parameter lists: what it has lists of, which are due at once.
    mutating func connected(lists: [Offering], now: NIODeadline) {
        self.connection = Connection(
            ping: .next(now + self.intervals.ping),
            lists: Dictionary(
                lists.map { ($0, List(state: .next(now))) }, uniquingKeysWith: { first, _ in first }),
            idleSince: now
        )
    }

    mutating func disconnected() {
        self.connection = nil
    }

    /// The upstream says that a list of its has changed.
    mutating func listChanged(_ offering: Offering, now: NIODeadline) {
        guard self.connection != nil else { return }
        var list = self.connection?.lists[offering] ?? List(state: .next(.distantFuture))
        switch list.state {
        case .next(let due):
            list.isForChange = true
            list.state = .next(max(list.floor, min(due, now + list.pace.debounce(self.intervals))))
        case .running: list.state = .running(again: true)
        }
        self.connection?.lists[offering] = list
    }

    /// The server wants to be asked for a list then, which is not finished yet: not before, whatever changes.
    mutating func listRefused(_ offering: Offering, until time: NIODeadline) {
        self.connection?.lists[offering]?.floor = time
    }

    /// Whether the server wants to be asked for a list later.
    func isPutOff(_ offering: Offering, now: NIODeadline) -> Bool {
        self.connection?.lists[offering].map { $0.floor > now } ?? false
    }

    /// Whoever was to ask for lists later is not who asks from now on.
    mutating func askAnew(now: NIODeadline) {
        for (offering, list) in self.connection?.lists ?? [:] where list.floor > now {
            self.connection?.lists[offering]?.floor = now
            if case .next = list.state { self.connection?.lists[offering]?.state = .next(now) }
        }
    }

    /// - Parameters:
    ///   - isNew: whether it brought something other than the list before.
    ///   - isWhole: whether it was read to its end.
    mutating func listFinished(_ offering: Offering, isNew: Bool, isWhole: Bool, now: NIODeadline) {
        guard var list = self.connection?.lists[offering], case .running(let again) = list.state else { return }
        list.pace.read(forChange: list.isForChange, isNew: isNew, isWhole: isWhole)
        list.isForChange = again
        let delay = again ? list.pace.debounce(self.intervals) : list.pace.interval(self.intervals)
        // Whoever wants to be asked soon, again and again, is asked ever more seldom.
        let isTaken = list.floor > now && list.pace.hasJustFailed
        list.state = .next(isTaken ? list.floor : max(list.floor, now + delay))
        self.connection?.lists[offering] = list
    }

    /// The upstream has no such list. It is asked again only when it says that the list has changed.
    mutating func listAbsent(_ offering: Offering) { self.connection?.lists[offering] = nil }

    /// Whether the upstream says again and again that a list has changed which has not.
    func isMisled(about offering: Offering) -> Bool { self.connection?.lists[offering]?.pace.isMisled ?? false }

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

    /// Whether it is used though nobody calls.
    mutating func keep(_ isKept: Bool, now: NIODeadline) {
        self.isKept = isKept
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
        for case .next(let due) in connection.lists.values.map(\.state) { times.append(due) }
        return times.compactMap { $0 }.min()
    }

    /// When the upstream is let go, if nobody calls until then, or waits for its news. Not while it is being listed.
    private var unusedAt: NIODeadline? {
        guard let connection, let idleStop = self.intervals.idleStop, !self.isBusy, !self.isKept else {
            return nil
        }
        for case .running in connection.lists.values.map(\.state) { return nil }
        return connection.idleSince + idleStop
    }

    /// - Parameter callsUnderWay: whether calls have been written that are neither answered nor given up.
    mutating func due(now: NIODeadline, callsUnderWay: Bool) -> [Task] {
        guard let connection else { return [] }
        var tasks: [Task] = []
        for (offering, list) in connection.lists.sorted(by: { $0.key.name < $1.key.name }) {
            guard case .next(let due) = list.state, now >= due else { continue }
            self.connection?.lists[offering]?.state = .running(again: false)
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
