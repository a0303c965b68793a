import BridgeFiles
import Glibc
import Testing

@testable import BridgeProcess

@Suite("Listeners") struct ListenerTests {
    @Test(arguments: [0o600, 0o660, 0o666] as [mode_t])
    func `a Unix socket has exactly its mode and accepts`(mode: mode_t) throws {
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/socket"
        let listener = try UnixListener.bind(path: path, mode: mode)
        defer { close(listener) }
        var status = stat()
        #expect(stat(path, &status) == 0)
        #expect(status.st_mode & 0o7777 == mode)
        #expect(fcntl(listener, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(listener, F_GETFL) & O_NONBLOCK != 0)
        let client = try Self.connect(path)
        #expect(accept(listener, nil, nil) >= 0)
        close(client)
    }

    @Test func `a socket that somebody listens on is left alone, a stale one replaced`() async {
        // In a process of its own: here a child that another test forks may hold the socket a moment longer.
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let path = "\(directory.path)/socket"
            let first = try UnixListener.bind(path: path, mode: 0o600)
            #expect(throws: SystemCallError("bind", path, code: EADDRINUSE)) {
                try UnixListener.bind(path: path, mode: 0o600)
            }
            close(first)
            let second = try UnixListener.bind(path: path, mode: 0o600)
            close(try ListenerTests.connect(path))
            close(second)
        }
    }

    @Test func `another file is not replaced`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("socket", "precious")
        #expect(throws: SystemCallError("bind", path, code: EEXIST)) { try UnixListener.bind(path: path, mode: 0o600) }
        #expect(try SystemFile.read(path) == "precious")
    }

    @Test func `a path that does not fit is told as such`() throws {
        let path = "/tmp/" + String(repeating: "x", count: 103)
        #expect(throws: SystemCallError("bind", path, code: ENAMETOOLONG)) {
            try UnixListener.bind(path: path, mode: 0o600)
        }
    }

    @Test(arguments: [("127.0.0.1", AF_INET), ("::1", AF_INET6)])
    func `a TCP socket listens where it should`(host: String, family: CInt) throws {
        let listener = try TCPListener.bind(host: host, port: 0)
        defer { close(listener) }
        let port = try TCPListener.port(of: listener)
        #expect(port > 0)
        #expect(fcntl(listener, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(listener, F_GETFL) & O_NONBLOCK != 0)
        var value: CInt = 0
        var length = socklen_t(MemoryLayout<CInt>.size)
        getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &value, &length)
        #expect(value == 1)
        getsockopt(listener, SOL_SOCKET, SO_DOMAIN, &value, &length)
        #expect(value == family)
        let subject = family == AF_INET ? "\(host):\(port)" : "[\(host)]:\(port)"
        #expect(throws: SystemCallError("bind", subject, code: EADDRINUSE)) {
            try TCPListener.bind(host: host, port: port)
        }
    }

    @Test func `names are not looked up`() {
        #expect(throws: SystemCallError("getaddrinfo", "localhost:0", code: EINVAL)) {
            try TCPListener.bind(host: "localhost", port: 0)
        }
    }

    @Test func `only internet sockets have ports`() throws {
        let directory = try TemporaryDirectory()
        let listener = try UnixListener.bind(path: "\(directory.path)/socket", mode: 0o600)
        defer { close(listener) }
        #expect(throws: SystemCallError("getsockname", code: EAFNOSUPPORT)) { try TCPListener.port(of: listener) }
    }

    static func connect(_ path: String) throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else { throw SystemCallError("connect", path) }
        return descriptor
    }
}
