import CSystemd  // with <sys/socket.h>, whose declarations the compiler may find here and not in Glibc
import FoundationEssentials
import Glibc

/// Tells the process above what this one is doing (sd_notify(3)): systemd for the daemon, the daemon for a worker.
///
/// It speaks the protocol itself instead of calling `sd_notify`, which blocks without limit when the receiver stops
/// reading (ten datagrams fill its queue): a worker must outlive a supervisor that hangs. It never waits. What must not be
/// lost is kept in a ``NotificationOutbox`` and sent again.
package struct ServiceNotifier: Sendable {
    package enum Outcome: Hashable, Sendable {
        case sent
        /// Nobody asked to be told: there is no `NOTIFY_SOCKET`.
        case nobodyListens
        case failed(SystemdError)
    }

    /// `NOTIFY_SOCKET`: an absolute path, or `@` and an abstract name. `nil` makes every call a no-op.
    package let socket: String?

    package init(socket: String?) {
        self.socket = socket.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Reads `NOTIFY_SOCKET`, and leaves it in the environment.
    package init(environment: [String: String] = ProcessInfo.processInfo.environment) {
        self.init(socket: environment["NOTIFY_SOCKET"])
    }

    /// Sends all messages in one datagram, so that the receiver sees them at once. Does not wait.
    @discardableResult
    package func send(_ messages: Message...) -> Outcome { self.send(.messages(messages)) }

    /// Does not wait: `EAGAIN` when the receiver's queue is full.
    @discardableResult
    package func send(_ notice: Notice) -> Outcome {
        guard let socket = self.socket, notice != .messages([]) else { return .nobodyListens }
        do throws(SystemdError) {
            let text = try notice.encoded(monotonic: Self.monotonicMicroseconds())
            try Self.transmit(Array(text.utf8), passing: notice.descriptors, to: try UnixAddress(socket))
            return .sent
        } catch {
            return .failed(error)
        }
    }

    /// A socket of its own for every datagram: a receiver that was started anew under the same path is found again.
    private static func transmit(
        _ payload: [UInt8],
        passing descriptors: [Int32],
        to address: UnixAddress
    ) throws(SystemdError) {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw SystemdError(.notification, "Cannot open a socket to notify with", errorNumber: errno)
        }
        defer { close(descriptor) }

        var payload = payload
        var control = ControlMessages.passing(descriptors)
        let failure = address.withSockaddr { name, length in
            payload.withUnsafeMutableBytes { payload in
                control.withUnsafeMutableBytes { control in
                    var part = iovec(iov_base: payload.baseAddress, iov_len: payload.count)
                    return withUnsafeMutablePointer(to: &part) { part in
                        var message = msghdr()
                        message.msg_name = UnsafeMutableRawPointer(mutating: name)
                        message.msg_namelen = length
                        message.msg_iov = part
                        message.msg_iovlen = 1
                        message.msg_control = control.isEmpty ? nil : control.baseAddress
                        message.msg_controllen = control.count
                        while sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 {
                            if errno != EINTR { return errno }
                        }
                        return 0
                    }
                }
            }
        }
        guard failure == 0 else {
            throw SystemdError(.notification, "Cannot notify the service manager", errorNumber: failure)
        }
    }

    private static func monotonicMicroseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1_000
    }
}
