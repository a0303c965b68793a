/// What is still to be told to the process above, for as long as that does not read.
///
/// Pure: it sends nothing and knows no time. Nothing in it is ever forgotten; it is bounded because what is said again
/// takes the place of what was said before:
///
/// | said | kept |
/// |---|---|
/// | status, sign of life, a wish for more time | the newest of each, told last: the next one makes up for one that was lost |
/// | `RELOADING=1`, `READY=1` | the newest of each |
/// | `STOPPING=1` | once |
/// | what is to be stored under a name, or not any more | everything since that name was last emptied |
package struct NotificationOutbox: Sendable, Equatable {
    private var line: [ServiceNotifier.Notice] = []
    private var status: ServiceNotifier.Message?
    private var moreTime: ServiceNotifier.Message?
    private var isWatchdogDue = false

    package init() {}

    /// What is to be sent now.
    package var next: ServiceNotifier.Notice? {
        if let first = self.line.first { return first }
        let loose = [self.moreTime, self.status, self.isWatchdogDue ? .watchdog : nil].compactMap(\.self)
        return loose.isEmpty ? nil : .messages(loose)
    }

    package mutating func add(_ notice: ServiceNotifier.Notice) {
        switch notice {
        case .messages(let messages): self.add(messages)
        case .removeStored(let name):
            self.line.removeAll { $0.storedName == name }
            self.line.append(notice)
        case .store:
            // Nothing came between: said once, it is said.
            if self.line.last != notice { self.line.append(notice) }
        }
    }

    /// ``next`` has been sent, or never can be.
    package mutating func removeNext() {
        guard self.line.isEmpty else {
            self.line.removeFirst()
            return
        }
        self.status = nil
        self.moreTime = nil
        self.isWatchdogDue = false
    }

    private mutating func add(_ messages: [ServiceNotifier.Message]) {
        guard messages.contains(where: \.isState) else { return self.keep(messages) }
        let hasStatus = messages.contains(where: \.isStatus)
        // The one that waits is older.
        if hasStatus { self.status = nil }
        let waiting = self.line
        self.line = []
        for notice in waiting {
            guard case .messages(let earlier) = notice else {
                self.line.append(notice)
                continue
            }
            let rest = earlier.filter { !$0.isState || !messages.contains($0) }
            if rest.contains(where: \.isState) {
                self.line.append(.messages(rest))
            } else if !hasStatus {
                self.keep(rest)
            }
        }
        self.line.append(.messages(messages))
    }

    private mutating func keep(_ messages: [ServiceNotifier.Message]) {
        for message in messages {
            switch message {
            case .status: self.status = message
            case .extendTimeout: self.moreTime = message
            case .watchdog: self.isWatchdogDue = true
            case .ready, .reloading, .stopping: break
            }
        }
    }
}

extension ServiceNotifier.Message {
    fileprivate var isStatus: Bool {
        if case .status = self { true } else { false }
    }

    fileprivate var isState: Bool {
        switch self {
        case .ready, .reloading, .stopping: true
        case .status, .watchdog, .extendTimeout: false
        }
    }
}

extension ServiceNotifier.Notice {
    fileprivate var storedName: String? {
        switch self {
        case .messages: nil
        case .store(let name, _, _), .removeStored(let name): name
        }
    }
}
