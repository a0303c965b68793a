import BridgeFiles
import CSystemd  // with <sys/socket.h>, whose declarations the compiler may find here and not in Glibc
import Glibc

/// The receiving end of the notification protocol: what a supervisor gives its workers as `NOTIFY_SOCKET`.
///
/// Closes its socket when it goes away; ``close()`` removes the path as well.
package final class NotifyReceiver: Sendable {
    /// A datagram longer than this is dropped, as systemd does.
    package static let maximumSize = 4_096

    package let path: String
    /// Non-blocking and close-on-exec; readable when ``receive(limit:)`` has something. Stays the receiver's to close.
    package let descriptor: Int32

    /// Binds a socket that only this user can send to, in place of a socket that a former process left at `path`.
    package init(path: String) throws(SystemdError) {
        let address = try UnixAddress(notation: path)
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw Self.failure("open a notification socket", errno) }
        self.path = path
        self.descriptor = descriptor

        var on: Int32 = 1
        guard setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &on, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
            throw Self.failure("ask for the senders' credentials", errno)
        }
        // The path inherits the mode that the socket has when it is bound: there is no moment with a wider one.
        guard fchmod(descriptor, 0o600) == 0 else { throw Self.failure("restrict the notification socket", errno) }
        try Self.removeSocket(at: path)
        guard address.withSockaddr({ bind(descriptor, $0, $1) }) == 0 else {
            throw Self.failure("bind the notification socket \(path)", errno)
        }
    }

    deinit {
        _ = Glibc.close(self.descriptor)
    }

    /// Everything that has come, oldest first, without waiting.
    ///
    /// Datagrams without a sender's process id, longer than ``maximumSize`` or not in the protocol's form are dropped.
    /// Descriptors that came along are closed.
    ///
    /// - Parameter limit: the number of datagrams to read at most, so that one eager sender cannot hold the caller.
    package func receive(limit: Int = 256) -> [Notification] {
        var notifications: [Notification] = []
        var payload = [UInt8](repeating: 0, count: Self.maximumSize + 1)
        var control = [UInt8](repeating: 0, count: ControlMessages.capacity)
        for _ in 0..<limit {
            guard let datagram = self.receiveDatagram(&payload, &control) else { break }
            for descriptor in datagram.control.descriptors { _ = Glibc.close(descriptor) }
            guard let sender = datagram.control.credentials, sender.pid > 0, datagram.count <= Self.maximumSize,
                let fields = Notification.parse(payload[..<datagram.count])
            else { continue }
            notifications.append(Notification(pid: sender.pid, uid: sender.uid, fields: fields))
        }
        return notifications
    }

    /// Removes the path. Senders fail from now on; what was sent can still be received.
    package func close() {
        if !self.path.hasPrefix("@") { unlink(self.path) }
    }

    private func receiveDatagram(
        _ payload: inout [UInt8],
        _ control: inout [UInt8]
    ) -> (count: Int, control: ControlMessages)? {
        payload.withUnsafeMutableBytes { payload in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: payload.baseAddress, iov_len: payload.count)
                return withUnsafeMutablePointer(to: &part) { part in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    let flags = Int32(MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
                    var count = recvmsg(self.descriptor, &message, flags)
                    while count < 0, errno == EINTR { count = recvmsg(self.descriptor, &message, flags) }
                    guard count >= 0 else { return nil }
                    let used = control[..<min(message.msg_controllen, control.count)]
                    return (count, ControlMessages(parsing: UnsafeRawBufferPointer(rebasing: used)))
                }
            }
        }
    }

    private static func removeSocket(at path: String) throws(SystemdError) {
        var status = stat()
        guard !path.hasPrefix("@"), lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw Self.failure("replace \(path), not a socket", EEXIST) }
        unlink(path)
    }

    private static func failure(_ what: String, _ errorNumber: Int32) -> SystemdError {
        SystemdError(.notification, "Cannot \(what)", errorNumber: errorNumber)
    }
}
