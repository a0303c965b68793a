/// Notifications that a server may answer with an error, though nothing is expected: such an error is about no request. Pure.
struct Excuses {
    /// Of so many, the last, it is remembered that they were sent.
    private static let maximum = 64

    /// For each, the last id that a request had before it.
    private var notifications: [Int] = []

    /// - Parameter id: the last that a request had.
    mutating func notified(behind id: Int) {
        self.notifications.append(id)
        if self.notifications.count > Self.maximum { self.notifications.removeFirst() }
    }

    /// A request has been answered: what was sent before it would have been answered by now.
    mutating func answered(_ id: Int) {
        if !self.notifications.isEmpty { self.notifications.removeAll { $0 < id } }
    }

    /// - Returns: whether an error without an id may be the answer to a notification.
    mutating func take() -> Bool {
        guard !self.notifications.isEmpty else { return false }
        self.notifications.removeFirst()
        return true
    }
}
