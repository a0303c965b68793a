package import BridgeCore
package import BridgeProcess
package import BridgeSystemd
import Glibc
import Logging

/// The listening sockets that clients know: from systemd where it has them, else bound here.
package struct PublicSockets: Sendable {
    package static let http = "http"
    package static let local = "local"
    package static let control = "control"

    /// For the front: every `http` and `local` socket.
    package var front: [ListenSocket]
    package var control: ListenSocket?
    /// Bound by this process, and not yet known to systemd's store.
    package var bound: [ListenSocket]
    /// Paths that this process bound and removes when it stops for good.
    package var paths: [String]

    /// Takes what was passed and binds what is missing.
    ///
    /// - Parameters:
    ///   - passed: by systemd: socket units, or an earlier process through the descriptor store.
    ///   - listen: where HTTP listens when no `http` socket was passed.
    ///   - directory: of the Unix sockets, when they were not passed; made with mode 0755 if it is missing.
    package static func acquire(
        passed: [ListenSocket], listen: [ListenAddress], directory: String?
    ) throws(SystemCallError) -> PublicSockets {
        var sockets = PublicSockets(front: [], control: nil, bound: [], paths: [])
        for socket in passed where socket.isListening {
            switch socket.name {
            case Self.http, Self.local: sockets.front.append(socket)
            case Self.control: sockets.control = socket
            default: close(socket.descriptor)
            }
        }
        if !sockets.front.contains(where: { $0.name == Self.http }) {
            for address in listen { try sockets.bind(address) }
        }
        guard let directory else { return sockets }
        if !sockets.front.contains(where: { $0.name == Self.local }) {
            mkdir(directory, 0o755)
            sockets.add(Self.local, try UnixListener.bind(path: directory + "/http.sock", mode: 0o660))
            sockets.paths.append(directory + "/http.sock")
        }
        if sockets.control == nil {
            mkdir(directory, 0o755)
            sockets.add(Self.control, try UnixListener.bind(path: directory + "/control.sock", mode: 0o600))
            sockets.paths.append(directory + "/control.sock")
        }
        return sockets
    }

    private mutating func bind(_ address: ListenAddress) throws(SystemCallError) {
        switch address {
        case .tcp(let host, let port):
            self.add(Self.http, try TCPListener.bind(host: host, port: UInt16(port)))
        case .unix(let path):
            self.add(Self.local, try UnixListener.bind(path: path, mode: 0o660))
            self.paths.append(path)
        }
    }

    private mutating func add(_ name: String, _ descriptor: Int32) {
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
