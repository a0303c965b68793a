package import BridgeFiles
import CSpawn
import Glibc

/// Both ends of a pipe, close-on-exec. The caller closes them.
package struct Pipe: Hashable, Sendable {
    package let reading: CInt
    package let writing: CInt

    /// - Parameters:
    ///   - capacity: wished for in bytes. An unprivileged user may be given less, and nobody is told.
    ///   - nonblocking: of both ends. The end that a child gets as its stdin or stdout had better block.
    package static func make(capacity: Int = 1 << 20, nonblocking: Bool = false) throws(SystemCallError) -> Pipe {
        var ends: [CInt] = [-1, -1]
        guard cspawn_pipe(&ends, nonblocking ? 1 : 0) == 0 else { throw SystemCallError("pipe2") }
        Self.widen(ends[0], to: capacity)
        return Pipe(reading: ends[0], writing: ends[1])
    }

    /// Asks for a pipe's capacity and, where the user has none left of that size, for smaller ones.
    ///
    /// - Returns: The capacity it has now, or `nil` when it kept the one it had.
    @discardableResult
    package static func widen(_ descriptor: CInt, to capacity: Int = 1 << 20) -> Int? {
        var wanted = min(capacity, Int(CInt.max))
        while wanted > 1 << 16 {
            let given = cspawn_widen_pipe(descriptor, CInt(wanted))
            if given > 0 { return Int(given) }
            wanted /= 2
        }
        return nil
    }
}

/// Two connected Unix stream sockets, close-on-exec. The caller closes them.
package struct SocketPair: Hashable, Sendable {
    package let first: CInt
    package let second: CInt

    package static func make(nonblocking: Bool = false) throws(SystemCallError) -> SocketPair {
        var ends: [CInt] = [-1, -1]
        let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | (nonblocking ? SOCK_NONBLOCK.rawValue : 0))
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemCallError("socketpair") }
        return SocketPair(first: ends[0], second: ends[1])
    }
}
