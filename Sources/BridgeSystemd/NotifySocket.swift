import BridgeFiles
import CSystemd  // with <sys/socket.h>, whose declarations the compiler may find here and not in Glibc
import Glibc
import Synchronization

/// The socket that a process notifies with: one for its whole life, opened when it is first needed.
///
/// It is not connected. So a receiver that was started anew under the same address is found again.
final class NotifySocket: Sendable {
    private let receiver: Result<UnixAddress, SystemdError>
    private let descriptor = Mutex<Int32>(-1)

    /// - Parameter address: an absolute path, or `@` and an abstract name. What is neither fails with each sending.
    init(to address: String) {
        self.receiver = Result { () throws(SystemdError) in try UnixAddress(notation: address) }
    }

    deinit {
        self.descriptor.withLock { if $0 >= 0 { close($0) } }
    }

    /// Does not wait: `EAGAIN` when the receiver's queue is full.
    func send(_ payload: [UInt8], passing descriptors: [Int32]) throws(SystemdError) {
        let receiver = try self.receiver.get()
        let failure = self.descriptor.withLock { descriptor in
            if descriptor < 0 {
                descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
                if descriptor < 0 { return errno }
            }
            return Self.send(payload, passing: descriptors, to: receiver, on: descriptor)
        }
        guard failure == 0 else {
            throw SystemdError(.notification, "Cannot notify the service manager", errorNumber: failure)
        }
    }

    /// - Returns: an `errno`, or 0.
    private static func send(
        _ payload: [UInt8], passing descriptors: [Int32], to address: UnixAddress, on descriptor: Int32
    ) -> Int32 {
        var payload = payload
        var control = ControlMessages.passing(descriptors)
        return address.withSockaddr { name, length in
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
    }
}

extension UnixAddress {
    /// As `NOTIFY_SOCKET` spells it: an absolute path, or `@` and an abstract name.
    init(notation text: String) throws(SystemdError) {
        guard text.hasPrefix("/") || text.hasPrefix("@") else {
            throw SystemdError(.address, "'\(text)' is neither an absolute path nor an abstract socket name")
        }
        do throws(UnixAddress.Problem) {
            try self.init(text)
        } catch {
            throw SystemdError(
                .address,
                error == .tooLong
                    ? "'\(text)' is too long for the address of a Unix socket"
                    : "'\(text)' is not the address of a Unix socket"
            )
        }
    }
}
