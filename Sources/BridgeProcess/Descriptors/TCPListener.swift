package import BridgeFiles
import Glibc

/// Listening TCP sockets.
package enum TCPListener {
    /// Binds and listens, with `SO_REUSEADDR`.
    ///
    /// - Parameters:
    ///   - host: a numeric IPv4 or IPv6 address, as `127.0.0.1`, `::1`, `fe80::1%eth0`. Names are not looked up.
    ///   - port: 0 lets the kernel choose; see ``port(of:)``.
    ///   - dualStack: whether `::` takes IPv4 connections too.
    /// - Returns: A nonblocking, close-on-exec descriptor that the caller owns.
    /// - Throws: `EINVAL` for a host that is not numeric, else what the kernel says.
    package static func bind(
        host: String,
        port: UInt16,
        dualStack: Bool = false,
        backlog: CInt = UnixListener.standardBacklog
    ) throws(SystemCallError) -> CInt {
        let subject = host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, "\(port)", &hints, &found) == 0, let address = found else {
            throw SystemCallError("getaddrinfo", subject, code: EINVAL)
        }
        defer { freeaddrinfo(address) }

        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.pointee.ai_family, type, 0)
        guard descriptor >= 0 else { throw SystemCallError("socket", subject) }
        do throws(SystemCallError) {
            try Self.set(descriptor, SOL_SOCKET, SO_REUSEADDR, to: 1, subject)
            if address.pointee.ai_family == AF_INET6 {
                try Self.set(descriptor, CInt(IPPROTO_IPV6), IPV6_V6ONLY, to: dualStack ? 0 : 1, subject)
            }
            guard Glibc.bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 else {
                throw SystemCallError("bind", subject)
            }
            guard listen(descriptor, backlog) == 0 else { throw SystemCallError("listen", subject) }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// The port that a bound socket has.
    package static func port(of descriptor: CInt) throws(SystemCallError) -> UInt16 {
        var address = sockaddr_in6()  // the port lies at the same place in sockaddr_in
        var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard result == 0 else { throw SystemCallError("getsockname") }
        guard [AF_INET, AF_INET6].contains(CInt(address.sin6_family)) else {
            throw SystemCallError("getsockname", code: EAFNOSUPPORT)
        }
        return UInt16(bigEndian: address.sin6_port)
    }

    private static func set(
        _ descriptor: CInt,
        _ level: CInt,
        _ option: CInt,
        to value: CInt,
        _ subject: String
    ) throws(SystemCallError) {
        var value = value
        guard setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<CInt>.size)) == 0 else {
            throw SystemCallError("setsockopt", subject)
        }
    }
}
