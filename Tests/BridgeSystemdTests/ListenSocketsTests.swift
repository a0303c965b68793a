import BridgeSystemd
import Glibc
import Testing

@Suite("Listening sockets")
struct ListenSocketsTests {
    @Test func `the sockets meant for this process are taken with their names and close-on-exec`() async {
        await #expect(processExitsWith: .exitCode(42)) {
            // Descriptors 3 and 4 of a child process made for this test.
            let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            dup2(listener, 3)
            dup2(listener, 4)
            setenv("LISTEN_PID", "\(getpid())", 1)
            setenv("LISTEN_FDS", "2", 1)
            setenv("LISTEN_FDNAMES", "http:control", 1)
            let sockets = try ListenSockets.take()
            let flags = sockets.map { fcntl($0.descriptor, F_GETFD) & FD_CLOEXEC }
            let again = try ListenSockets.take()
            let isRight =
                sockets == [.init(name: "http", descriptor: 3), .init(name: "control", descriptor: 4)]
                && flags == [FD_CLOEXEC, FD_CLOEXEC] && getenv("LISTEN_FDS") == nil && getenv("LISTEN_FDNAMES") == nil
                && getenv("LISTEN_PID") == nil && again.isEmpty
            exit(isRight ? 42 : 1)
        }
    }

    @Test func `sockets without names are called unknown`() async {
        await #expect(processExitsWith: .exitCode(42)) {
            dup2(socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0), 3)
            setenv("LISTEN_PID", "\(getpid())", 1)
            setenv("LISTEN_FDS", "1", 1)
            let sockets = try ListenSockets.take()
            exit(sockets == [.init(name: ListenSockets.unnamed, descriptor: 3)] ? 42 : 1)
        }
    }

    @Test func `sockets meant for another process are left alone, and the variables removed`() async {
        await #expect(processExitsWith: .exitCode(42)) {
            setenv("LISTEN_PID", "\(getppid())", 1)
            setenv("LISTEN_FDS", "1", 1)
            let sockets = try ListenSockets.take()
            exit(sockets.isEmpty && getenv("LISTEN_FDS") == nil ? 42 : 1)
        }
    }

    @Test(arguments: ["many", "-1", "99999999999"])
    func `a count that makes no sense is an error and not no sockets`(count: String) async {
        await #expect(processExitsWith: .exitCode(42)) { [count] in
            setenv("LISTEN_PID", "\(getpid())", 1)
            setenv("LISTEN_FDS", count, 1)
            do throws(SystemdError) {
                _ = try ListenSockets.take()
                exit(1)
            } catch {
                exit(error.code == .handover ? 42 : 1)
            }
        }
    }

    @Test func `the kind of a socket is what the kernel says`() {
        let unix = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let inet = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { for descriptor in [unix, inet, datagrams] { close(descriptor) } }
        #expect(ListenSocket(name: "a", descriptor: unix).kind == .unix)
        #expect(ListenSocket(name: "a", descriptor: inet).kind == .inet)
        #expect(ListenSocket(name: "a", descriptor: datagrams).kind == .other)
        #expect(ListenSocket(name: "a", descriptor: -1).kind == .other)
    }

    @Test func `only a socket that accepts connections is listening`() {
        let inet = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(inet) }
        #expect(!ListenSocket(name: "a", descriptor: inet).isListening)
        listen(inet, 1)
        #expect(ListenSocket(name: "a", descriptor: inet).isListening)

        var pair: [Int32] = [-1, -1]
        socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
        defer { for descriptor in pair { close(descriptor) } }
        #expect(ListenSocket(name: "control", descriptor: pair[0]).kind == .unix)
        #expect(!ListenSocket(name: "control", descriptor: pair[0]).isListening)
    }

    @Test(arguments: [
        ("http", true), ("", false), ("a:b", false), ("a\nb", false), ("ä", false), ("worker session", true),
    ])
    func `names are those that the descriptor store takes`(name: String, isValid: Bool) {
        #expect(ListenSockets.isValidName(name) == isValid)
        #expect(!ListenSockets.isValidName(String(repeating: "x", count: 256)))
    }
}
