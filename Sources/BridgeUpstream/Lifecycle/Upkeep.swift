import NIOCore

/// Decides when a connected upstream is asked for its list, pinged, given up as mute, or let go as unused.
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
        /// Read the list, then report ``listFinished(succeeded:now:)``.
        case list
        /// Send a ping, then report ``pingAnswered(now:)``.
        case ping
        /// The upstream did not answer a ping in time.
        case mute
        /// Nobody has called for the whole of `idleStop`.
        case unused
    }

    private enum Ping {
        case next(NIODeadline)
        case sent(deadline: NIODeadline)
    }

    private enum List {
        case next(NIODeadline)
        case running(again: Bool)
    }

    private struct Connection {
        var ping: Ping
        /// `nil`: it has no tools to list.
        var list: List?
        var idleSince: NIODeadline
    }

    var intervals: Intervals
    private var connection: Connection?
    private var isBusy = false

    init(_ intervals: Intervals) {
        self.intervals = intervals
    }

    /// - Parameter lists: whether it has lists to read; then the first is due at once.
    mutating func connected(lists: Bool, now: NIODeadline) {
        self.connection = Connection(
            ping: .next(now + self.intervals.ping), list: lists ? .next(now) : nil, idleSince: now
        )
    }

    mutating func disconnected() {
        self.connection = nil
    }

    /// The upstream says that its list has changed.
    mutating func listChanged(now: NIODeadline) {
        switch self.connection?.list {
        case .next(let due): self.connection?.list = .next(min(due, now + self.intervals.debounce))
        case .running: self.connection?.list = .running(again: true)
        case nil where self.connection != nil: self.connection?.list = .next(now + self.intervals.debounce)
        case nil: break
        }
    }

    mutating func listFinished(succeeded: Bool, now: NIODeadline) {
        guard case .running(let again) = self.connection?.list else { return }
        let delay =
            again
            ? self.intervals.debounce
            : succeeded ? self.intervals.refresh : min(self.intervals.refresh, self.intervals.retry)
        self.connection?.list = .next(now + delay)
    }

    mutating func pingAnswered(now: NIODeadline) {
        guard case .sent = self.connection?.ping else { return }
        self.connection?.ping = .next(now + self.intervals.ping)
    }

    /// Calls are under way, or none is any more.
    mutating func busy(_ isBusy: Bool, now: NIODeadline) {
        self.isBusy = isBusy
        self.connection?.idleSince = now
    }

    /// When ``due(now:)`` has something to say at the earliest.
    var next: NIODeadline? {
        guard let connection else { return nil }
        var next: NIODeadline
        switch connection.ping {
        case .next(let due): next = due
        case .sent(let deadline): next = deadline
        }
        if case .next(let due) = connection.list { next = min(next, due) }
        if let unusedAt = self.unusedAt { next = min(next, unusedAt) }
        return next
    }

    /// When the upstream is let go, if nobody calls until then. Not while it is being listed.
    private var unusedAt: NIODeadline? {
        guard let connection, let idleStop = self.intervals.idleStop, !self.isBusy else { return nil }
        if case .running = connection.list { return nil }
        return connection.idleSince + idleStop
    }

    mutating func due(now: NIODeadline) -> [Task] {
        guard let connection else { return [] }
        var tasks: [Task] = []
        if case .next(let due) = connection.list, now >= due {
            self.connection?.list = .running(again: false)
            tasks.append(.list)
        }
        switch connection.ping {
        case .next(let due) where now >= due:
            self.connection?.ping = .sent(deadline: now + self.intervals.pingTimeout)
            tasks.append(.ping)
        case .sent(let deadline) where now >= deadline:
            if self.isBusy {
                // Many servers do one thing at a time: during a call, silence says nothing. The call has its own limit.
                self.connection?.ping = .sent(deadline: now + self.intervals.pingTimeout)
            } else {
                self.connection = nil
                return [.mute]
            }
        case .next, .sent: break
        }
        if let unusedAt = self.unusedAt, now >= unusedAt {
            self.connection = nil
            return [.unused]
        }
        return tasks
    }
}
