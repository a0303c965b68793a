package import BridgeFiles
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
        let address = try Self.address(path)
        try Self.removeStale(path, address)
        let descriptor = try Self.socket()
        do throws(SystemCallError) {
            // Before bind: the file is born with this mode, minus the umask. After it: with exactly this mode.
            guard fchmod(descriptor, mode) == 0 else { throw SystemCallError("fchmod", path) }
            guard address.withSockaddr({ Glibc.bind(descriptor, $0, $1) }) == 0 else {
                throw SystemCallError("bind", path)
            }
            guard chmod(path, mode) == 0 else { throw SystemCallError("chmod", path) }
            guard listen(descriptor, backlog) == 0 else { throw SystemCallError("listen", path) }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    private static func removeStale(_ path: String, _ address: UnixAddress) throws(SystemCallError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else { throw SystemCallError("bind", path, code: EEXIST) }
        let probe = try Self.socket()
        defer { close(probe) }
        // A full backlog answers EAGAIN to a nonblocking socket: only a refusal says that nobody is there.
        guard address.withSockaddr({ connect(probe, $0, $1) }) != 0, errno == ECONNREFUSED else {
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

    private static func address(_ path: String) throws(SystemCallError) -> UnixAddress {
        do throws(UnixAddress.Problem) {
            return try UnixAddress(path: path)
        } catch {
            throw SystemCallError("bind", path, code: ENAMETOOLONG)
        }
    }
}
