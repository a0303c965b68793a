import FoundationEssentials
import Glibc

/// Tells the process above what this one is doing (sd_notify(3)): systemd for the daemon, the daemon for a worker.
///
/// It speaks the protocol itself instead of calling `sd_notify`, which blocks without limit when the receiver stops
/// reading (ten datagrams fill its queue): a worker must outlive a supervisor that hangs. It never waits. What must not be
/// lost is kept in a ``NotificationOutbox`` and sent again.
package struct ServiceNotifier: Sendable {
    /// `NOTIFY_SOCKET`: an absolute path, or `@` and an abstract name. `nil` makes every call a no-op.
    package let socket: String?
    private let endpoint: NotifySocket?

    package init(socket: String?) {
        let address = socket.flatMap { $0.isEmpty ? nil : $0 }
        self.socket = address
        self.endpoint = address.map(NotifySocket.init(to:))
    }

    /// Reads `NOTIFY_SOCKET`, and leaves it in the environment.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.init(socket: environment["NOTIFY_SOCKET"])
    }

    /// Sends all messages in one datagram, so that the receiver sees them at once. Does not wait.
    ///
    /// - Returns: why they could not be sent.
    @discardableResult
    package func send(_ messages: Message...) -> SystemdError? { self.send(.messages(messages)) }

    /// Does not wait: `EAGAIN` when the receiver's queue is full.
    ///
    /// - Returns: why it could not be sent.
    @discardableResult
    package func send(_ notice: Notice) -> SystemdError? {
        guard let endpoint = self.endpoint, notice != .messages([]) else { return nil }
        do throws(SystemdError) {
            let text = try notice.encoded(monotonic: Self.monotonicMicroseconds())
            try endpoint.send(Array(text.utf8), passing: notice.descriptors)
            return nil
        } catch {
            return error
        }
    }

    private static func monotonicMicroseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1_000
    }
}
