import CSystemd
import Glibc

/// One descriptor that the process was started with.
package struct ListenSocket: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
        /// A stream socket of IPv4 or IPv6.
        case inet
        /// A Unix stream socket.
        case unix
        /// Anything else: another type of socket, a pipe, a file.
        case other
    }

    /// `FileDescriptorName=` of the socket unit, or the name it was stored under. Several may share one.
    package let name: String
    /// Open, close-on-exec, and the receiver's to close.
    package let descriptor: Int32

    package init(name: String, descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
    }

    /// What the kernel says the descriptor is.
    package var kind: Kind {
        if sd_is_socket_inet(self.descriptor, AF_UNSPEC, Self.stream, -1, 0) > 0 { return .inet }
        if sd_is_socket_unix(self.descriptor, Self.stream, -1, nil, 0) > 0 { return .unix }
        return .other
    }

    /// Whether connections can be accepted from it. A connected socket, a worker's control link for example, is not
    /// listening.
    package var isListening: Bool {
        sd_is_socket(self.descriptor, AF_UNSPEC, Self.stream, 1) > 0
    }

    private static let stream = Int32(SOCK_STREAM.rawValue)
}
