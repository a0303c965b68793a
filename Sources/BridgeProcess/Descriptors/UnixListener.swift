import Glibc

/// Listening Unix stream sockets.
package enum UnixListener {
    /// What is asked for; the kernel caps it at `net.core.somaxconn`.
    package static let standardBacklog: CInt = 4096

    /// Binds and listens. A socket file that nobody listens on any more is replaced.
    ///
    /// - Parameters:
    ///   - path: at most 107 bytes; its directory exists.
    ///   - mode: the socket file's permissions; it never has wider ones.
    /// - Returns: A nonblocking, close-on-exec descriptor that the caller owns. The file stays when it is closed.
    /// - Throws: `EADDRINUSE` when somebody listens there, `EEXIST` when it is not a socket, `ENAMETOOLONG`.
    package static func bind(
        path: String,
        mode: UInt32,
        backlog: CInt = Self.standardBacklog
    ) throws(SystemCallError) -> CInt {
        try Self.removeStale(path)
        let descriptor = try Self.socket()
        do throws(SystemCallError) {
            // Before bind: the file is born with this mode, minus the umask. After it: with exactly this mode.
            guard fchmod(descriptor, mode) == 0 else { throw SystemCallError("fchmod", path) }
            guard try Self.call(Glibc.bind, descriptor, path) == 0 else { throw SystemCallError("bind", path) }
            guard chmod(path, mode) == 0 else { throw SystemCallError("chmod", path) }
            guard listen(descriptor, backlog) == 0 else { throw SystemCallError("listen", path) }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func removeStale(_ path: String) throws(SystemCallError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemCallError("bind", path, code: EEXIST) }
        let probe = try Self.socket()
        defer { close(probe) }
        // A full backlog answers EAGAIN to a nonblocking socket: only a refusal says that nobody is there.
        guard try Self.call(connect, probe, path) != 0, errno == ECONNREFUSED else {
            throw SystemCallError("bind", path, code: EADDRINUSE)
        }
        guard unlink(path) == 0 || errno == ENOENT else { throw SystemCallError("unlink", path) }
    }

    private static func socket() throws(SystemCallError) -> CInt {
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = Glibc.socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw SystemCallError("socket", "AF_UNIX") }
        return descriptor
    }

    /// `bind` or `connect` with a path.
    private static func call(
        _ function: (CInt, UnsafePointer<sockaddr>, socklen_t) -> CInt,
        _ descriptor: CInt,
        _ path: String
    ) throws(SystemCallError) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        let fits = withUnsafeMutableBytes(of: &address.sun_path) { place in
            guard bytes.count < place.count, !bytes.contains(0) else { return false }
            place.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw SystemCallError("bind", path, code: ENAMETOOLONG) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                function(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
