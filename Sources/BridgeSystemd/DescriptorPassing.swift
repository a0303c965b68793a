import CSystemd  // with <sys/socket.h>, whose declarations the compiler may find here and not in Glibc
import Glibc

/// Hands open descriptors from one process to another while both run: what `LISTEN_FDS` does only at the start.
///
/// Over a pair of connected Unix sockets. What has been sent is there to be received before anything that is said
/// afterwards on another way.
package enum DescriptorPassing {
    /// Does not wait. The descriptor stays the caller's, whatever comes of it.
    package static func send(_ descriptor: Int32, over socket: Int32) throws(SystemdError) {
        var payload: [UInt8] = [0]
        var control = ControlMessages.passing([descriptor])
        let failure = payload.withUnsafeMutableBytes { payload in
            control.withUnsafeMutableBytes { control in
                var part = iovec(iov_base: payload.baseAddress, iov_len: payload.count)
                return withUnsafeMutablePointer(to: &part) { part -> Int32 in
                    var message = msghdr()
                    message.msg_iov = part
                    message.msg_iovlen = 1
                    message.msg_control = control.baseAddress
                    message.msg_controllen = control.count
                    while sendmsg(socket, &message, Int32(MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 {
                        if errno != EINTR { return errno }
                    }
                    return 0
                }
            }
        }
        guard failure == 0 else {
            throw SystemdError(.notification, "Cannot pass a descriptor on", errorNumber: failure)
        }
    }

    /// The descriptors that have come, oldest first, without waiting. They are close-on-exec, and the caller's.
    package static func receive(from socket: Int32) -> [Int32] {
        var received: [Int32] = []
        var payload: [UInt8] = [0]
        var control = [UInt8](repeating: 0, count: ControlMessages.capacity)
        while true {
            let parsed = payload.withUnsafeMutableBytes { payload in
                control.withUnsafeMutableBytes { control -> ControlMessages? in
                    var part = iovec(iov_base: payload.baseAddress, iov_len: payload.count)
                    return withUnsafeMutablePointer(to: &part) { part in
                        var message = msghdr()
                        message.msg_iov = part
                        message.msg_iovlen = 1
                        message.msg_control = control.baseAddress
                        message.msg_controllen = control.count
                        let flags = Int32(MSG_DONTWAIT | MSG_CMSG_CLOEXEC)
                        guard recvmsg(socket, &message, flags) > 0 else { return nil }
                        return ControlMessages(
                            parsing: UnsafeRawBufferPointer(rebasing: control[..<message.msg_controllen]))
                    }
                }
            }
            guard let parsed else { return received }
            received += parsed.descriptors
        }
    }
}
