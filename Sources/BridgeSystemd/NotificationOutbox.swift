/// What is still to be told to the process above, for as long as that does not read.
///
/// Pure: it sends nothing and knows no time. What must not be lost waits in line, in order. Of status and sign of life only
/// the newest is kept, and goes last: the next one makes up for one that was lost.
package struct NotificationOutbox: Sendable, Equatable {
    /// So many wait in line at most; then the oldest is forgotten, since what is true now counts more.
    package static let capacity = 64

    private var line: [ServiceNotifier.Notice] = []
    private var status: ServiceNotifier.Message?
    private var isWatchdogDue = false

    package init() {}

    /// What is to be sent now.
    package var next: ServiceNotifier.Notice? {
        if let first = self.line.first { return first }
        let loose = (self.status.map { [$0] } ?? []) + (self.isWatchdogDue ? [.watchdog] : [])
        return loose.isEmpty ? nil : .messages(loose)
    }

    package mutating func add(_ notice: ServiceNotifier.Notice) {
        guard case .messages(let messages) = notice else { return self.lineUp(notice) }
        if messages.allSatisfy(\.isMadeGoodByTheNext) {
            for message in messages { self.keep(message) }
        } else {
            // The status in it is newer than the one that waits.
            if messages.contains(where: \.isStatus) { self.status = nil }
            self.lineUp(notice)
        }
    }

    /// ``next`` has been sent, or never can be.
    package mutating func removeNext() {
        if self.line.isEmpty {
            self.status = nil
            self.isWatchdogDue = false
        } else {
            self.line.removeFirst()
        }
    }

    private mutating func lineUp(_ notice: ServiceNotifier.Notice) {
        // Nothing came between: said once, it is said.
        guard self.line.last != notice else { return }
        if self.line.count == Self.capacity { self.line.removeFirst() }
        self.line.append(notice)
    }

    private mutating func keep(_ message: ServiceNotifier.Message) {
        if message.isStatus { self.status = message } else { self.isWatchdogDue = true }
    }
}

extension ServiceNotifier.Message {
    fileprivate var isStatus: Bool {
        if case .status = self { true } else { false }
    }

    fileprivate var isMadeGoodByTheNext: Bool {
        switch self {
        case .status, .watchdog: true
        case .ready, .reloading, .stopping, .extendTimeout, .mainPID: false
        }
    }
}
