package import BridgeConfiguration
import BridgeCore
package import BridgeFiles
import BridgeProcess
package import BridgeSystemd
import Glibc
import Logging

/// The listening sockets that clients know: from systemd where it has them, else bound here.
package struct PublicSockets: Sendable {
    package static let http = "http"
    package static let local = "local"
    package static let control = "control"
    /// Of the client whose program the bridge is.
    package static let own = "own"

    /// For the front: every `http` and `local` socket.
    package var front: [ListenSocket]
    package var control: ListenSocket?
    /// Bound by this process or an earlier one: what systemd's store shall hold, and nothing else.
    package var bound: [ListenSocket]
    /// Whether systemd's socket units listen. Then nothing is bound here: a unit that was masked is not wanted.
    package var areUnits = false
    /// The names under which systemd's store holds sockets that this process does not want back.
    package var obsolete: Set<String> = []
    /// The names of passed sockets on which nobody can listen. They have been closed.
    package var unusable: [String] = []
    /// Paths that this process bound and removes when it stops for good.
    package var paths: [String]

    /// What a socket is called in systemd's store, so that it cannot be taken for a socket unit's.
    package static func storeName(of name: String) -> String { "stored-" + name }

    /// Takes what was passed; where no socket unit listens, binds what the configuration wants.
    ///
    /// - Parameters:
    ///   - passed: by systemd: socket units, or an earlier process through the descriptor store.
    ///   - listen: where HTTP listens when there are no socket units.
    ///   - directory: of the Unix sockets, when there are no socket units; made with mode 0755 if it is missing.
    ///   - control: of a bridge without such a directory: where its control socket lies, if it is to have one.
    ///   - own: of a client's program: where its front finds it.
    package static func acquire(
        passed: [ListenSocket], listen: [ListenAddress], directory: String?, control: String? = nil, own: String? = nil
    ) throws(SystemCallError) -> PublicSockets {
        var sockets = PublicSockets(front: [], control: nil, bound: [], paths: [])
        var stored: [ListenSocket] = []
        for socket in passed {
            guard socket.isListening else {
                sockets.letGo(socket)
                continue
            }
            switch socket.name {
            case Self.http, Self.local: sockets.front.append(socket)
            case Self.control: sockets.control = socket
            default: stored.append(socket)
            }
        }
        sockets.areUnits = !sockets.front.isEmpty || sockets.control != nil
        if !sockets.areUnits {
            for address in listen { try sockets.add(address, from: &stored) }
            if let directory {
                if mkdir(directory, 0o755) != 0, errno != EEXIST { throw SystemCallError("mkdir", directory) }
                try sockets.add(Self.local, path: directory + "/http.sock", mode: 0o660, from: &stored)
                try sockets.add(Self.control, path: directory + "/control.sock", mode: 0o600, from: &stored)
            } else if let control {
                try sockets.add(Self.control, path: control, mode: 0o600, from: &stored)
            }
            if let own { try sockets.add(Self.own, path: own, mode: 0o600, from: &stored) }
        }
        for socket in stored {
            sockets.obsolete.insert(socket.name)
            close(socket.descriptor)
        }
        return sockets
    }

    private mutating func letGo(_ socket: ListenSocket) {
        self.unusable.append(socket.name)
        // Out of the store as well, if it came from there.
        if socket.name.hasPrefix(Self.storeName(of: "")) { self.obsolete.insert(socket.name) }
        close(socket.descriptor)
    }

    private mutating func add(_ address: ListenAddress, from stored: inout [ListenSocket]) throws(SystemCallError) {
        switch address {
        case .tcp(let host, let port):
            let wanted = (host.contains(":") ? "[\(host)]" : host) + ":"
            let kept = Self.take(Self.http, from: &stored) { name in
                port == 0 ? name.hasPrefix(wanted) : name == wanted + "\(port)"
            }
            if let kept { return self.keep(Self.http, kept) }
            self.keep(Self.http, try TCPListener.bind(host: host, port: UInt16(clamping: port)))
        case .unix(let path):
            try self.add(Self.local, path: path, mode: 0o660, from: &stored)
        }
    }

    private mutating func add(
        _ name: String, path: String, mode: UInt32, from stored: inout [ListenSocket]
    ) throws(SystemCallError) {
        // A socket whose file was removed meanwhile can be reached by nobody.
        self.paths.append(path)
        if access(path, F_OK) == 0, let kept = Self.take(name, from: &stored, where: { $0 == path }) {
            return self.keep(name, kept)
        }
        self.keep(name, try UnixListener.bind(path: path, mode: mode))
    }

    /// The stored socket of this name that is bound to the right address; the others stay, to be let go.
    private static func take(
        _ name: String, from stored: inout [ListenSocket], where matches: (String) -> Bool
    ) -> Int32? {
        let index = stored.firstIndex { socket in
            socket.name == Self.storeName(of: name) && SocketName.of(socket.descriptor).map(matches) == true
        }
        return index.map { stored.remove(at: $0).descriptor }
    }

    private mutating func keep(_ name: String, _ descriptor: Int32) {
        let socket = ListenSocket(name: name, descriptor: descriptor)
        self.bound.append(socket)
        if name == Self.control { self.control = socket } else { self.front.append(socket) }
    }

    /// Where clients find the front, for people: `127.0.0.1:8769`, or a path.
    package func addresses() -> [String] {
        self.front.compactMap { SocketName.of($0.descriptor) }
    }
}

/// The name that a socket is bound to.
enum SocketName {
    static func of(_ descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> String? in
                guard getsockname(descriptor, address, &length) == 0 else { return nil }
                if Int32(address.pointee.sa_family) == AF_UNIX { return Self.path(storage, length) }
                var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
                var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
                guard
                    getnameinfo(
                        address, length, &host, socklen_t(host.count), &port, socklen_t(port.count),
                        NI_NUMERICHOST | NI_NUMERICSERV
                    ) == 0
                else { return nil }
                let name = Self.text(host)
                return (name.contains(":") ? "[\(name)]" : name) + ":" + Self.text(port)
            }
        }
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private static func path(_ storage: UnsafePointer<sockaddr_storage>, _ length: socklen_t) -> String? {
        let offset = MemoryLayout<sa_family_t>.size
        guard Int(length) > offset else { return nil }
        let bytes = UnsafeRawBufferPointer(start: storage, count: Int(length))[offset...]
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
