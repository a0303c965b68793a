import BridgeConfiguration
import BridgeProcess
import BridgeSystemd
import Glibc
import Testing

@testable import BridgeSupervisor

@Suite("Public sockets") struct PublicSocketsTests {
    private static func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

    @Test func `what was passed and does not listen is closed and told of`() throws {
        let listening = try TCPListener.bind(host: "127.0.0.1", port: 0)
        defer { close(listening) }
        let silent = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let stored = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // Other tests open descriptors meanwhile: these are looked at by what they are, not by their numbers.
        let (first, second) = (Self.inode(silent), Self.inode(stored))
        let sockets = try PublicSockets.acquire(
            passed: [
                ListenSocket(name: "http", descriptor: listening), ListenSocket(name: "local", descriptor: silent),
                ListenSocket(name: "stored-http", descriptor: stored),
            ],
            listen: [], directory: nil
        )
        #expect(sockets.front.map(\.descriptor) == [listening])
        #expect(sockets.unusable == ["local", "stored-http"])
        #expect(sockets.obsolete == ["stored-http"])
        #expect(Self.inode(silent) != first && Self.inode(stored) != second)
        #expect(Self.isOpen(listening))
    }

    @Test func `a client's program has a socket for its client alone`() throws {
        let path = "/tmp/own-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        defer { unlink(path) }
        let sockets = try PublicSockets.acquire(
            passed: [], listen: [.tcp(host: "127.0.0.1", port: 0)], directory: nil, own: path)
        defer { for socket in sockets.front { close(socket.descriptor) } }
        #expect(sockets.front.map(\.name) == ["http", "own"])
        var status = stat()
        #expect(lstat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        #expect(sockets.paths == [path])
    }

    private static func inode(_ descriptor: Int32) -> ino_t? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status.st_ino : nil
    }
}
