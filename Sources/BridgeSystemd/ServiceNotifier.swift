import CSystemd  // with <sys/socket.h>, whose declarations the compiler may find here and not in Glibc
import FoundationEssentials
import Glibc

/// Tells the process above what this one is doing (sd_notify(3)): systemd for the daemon, the daemon for a worker.
///
/// It speaks the protocol itself instead of calling `sd_notify`, which blocks without limit when the receiver stops
/// reading (ten datagrams fill its queue): a worker must outlive a supervisor that hangs.
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

    /// Sends all messages in one datagram, so that the receiver sees them at once.
    ///
    /// Waits for a receiver whose queue is full: 100 ms at most when only status and watchdog are sent, which come
    /// again, and 2 s otherwise.
    @discardableResult
    package func send(_ messages: Message...) -> Outcome {
        guard self.socket != nil, !messages.isEmpty else { return .nobodyListens }
        let text = messages.map { $0.encoded(monotonic: Self.monotonicMicroseconds()) }.joined(separator: "\n")
        return self.send(text, patience: messages.allSatisfy(\.comesAgain) ? .milliseconds(100) : .seconds(2))
    }

    /// Has the service manager keep duplicates of `descriptors` over a restart; they come back from
    /// ``ListenSockets/take()`` under `name`. The originals stay the caller's.
    ///
    /// - Parameter polled: whether the manager drops a descriptor from its store at a hang-up or an error on it.
    @discardableResult
    package func storeDescriptors(name: String, _ descriptors: [Int32], polled: Bool = true) -> Outcome {
        guard ListenSockets.isValidName(name) else { return .failed(Self.badName(name)) }
        let text = "FDSTORE=1\nFDNAME=\(name)" + (polled ? "" : "\nFDPOLL=0")
        var rest = descriptors[...]
        var outcome = Outcome.nobodyListens
        while !rest.isEmpty {
            let some = rest.prefix(ControlMessages.maximumDescriptors)
            rest = rest.dropFirst(some.count)
            outcome = self.send(text, descriptors: Array(some), patience: .seconds(2))
            guard outcome == .sent else { return outcome }
        }
        return outcome
    }

    /// Has the service manager close every descriptor it keeps under `name`.
    @discardableResult
    package func removeStored(name: String) -> Outcome {
        guard ListenSockets.isValidName(name) else { return .failed(Self.badName(name)) }
        return self.send("FDSTOREREMOVE=1\nFDNAME=\(name)", patience: .seconds(2))
    }

    private func send(_ text: String, descriptors: [Int32] = [], patience: Duration) -> Outcome {
        guard let socket = self.socket else { return .nobodyListens }
        do throws(SystemdError) {
            let address = try UnixAddress(socket)
            try Self.transmit(Array(text.utf8), passing: descriptors, to: address, patience: patience)
            return .sent
        } catch {
            return .failed(error)
        }
    }

    /// A socket of its own for every datagram: a receiver that was started anew under the same path is found again.
    private static func transmit(
        _ payload: [UInt8],
        passing descriptors: [Int32],
        to address: UnixAddress,
        patience: Duration
    ) throws(SystemdError) {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else {
            throw SystemdError(.notification, "Cannot open a socket to notify with", errorNumber: errno)
        }
        defer { close(descriptor) }
        let (seconds, attoseconds) = patience.components
        var limit = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))

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
                        while sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL)) < 0 {
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

    private static func badName(_ name: String) -> SystemdError {
        SystemdError(.name, "'\(name)' cannot name a stored descriptor")
    }

    private static func monotonicMicroseconds() -> UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1_000
    }
}
