import BridgeFiles
import BridgeProcess
import Glibc

/// The sockets on 127.0.0.1 that browsers come back to at sign-ins: each open for as long as a sign-in waits for it, and no longer.
///
/// Confined to the supervisor's event loop. It binds and closes; the front is told by its owner.
final class SignInReceivers {
    /// One sign-in that waits.
    struct Wait: Hashable {
        let upstream: String
        let number: Int
    }

    private struct Listening {
        let descriptor: Int32
        var waits: Set<Wait>
    }

    private var listening: [Int: Listening] = [:]
    private var last = 0

    /// Ports and what listens there.
    var open: [(port: Int, descriptor: Int32)] { self.listening.map { ($0.key, $0.value.descriptor) } }

    /// Listens on a port for one more sign-in.
    ///
    /// - Returns: the sign-in, and what listens, where that is new: the front has to be told then.
    /// - Throws: `EADDRINUSE` when somebody else has the port. Another one would not do: servers compare it.
    func begin(_ upstream: String, port: Int) throws(SystemCallError) -> (wait: Wait, opened: Int32?) {
        self.last += 1
        let wait = Wait(upstream: upstream, number: self.last)
        if self.listening[port] != nil {
            self.listening[port]?.waits.insert(wait)
            return (wait, nil)
        }
        let descriptor = try TCPListener.bind(host: "127.0.0.1", port: UInt16(clamping: port), backlog: 16)
        self.listening[port] = Listening(descriptor: descriptor, waits: [wait])
        return (wait, descriptor)
    }

    /// A sign-in does not wait any more.
    ///
    /// - Returns: the port that nobody waits for now. The front has to close it, and ``closed(_:)`` to be called then: until
    ///   the front has let go of the port, nobody can bind it.
    func end(_ wait: Wait) -> Int? {
        for (port, listening) in self.listening where listening.waits.contains(wait) {
            self.listening[port]?.waits.remove(wait)
            return listening.waits.count == 1 ? port : nil
        }
        return nil
    }

    /// The front receives nothing on a port any more.
    ///
    /// - Returns: what listens there, where a sign-in has begun meanwhile: the front has to open it again.
    func closed(_ port: Int) -> Int32? {
        guard let listening = self.listening[port] else { return nil }
        if !listening.waits.isEmpty { return listening.descriptor }
        close(listening.descriptor)
        self.listening[port] = nil
        return nil
    }
}
