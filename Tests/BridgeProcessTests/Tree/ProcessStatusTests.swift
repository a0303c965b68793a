import Glibc
import Testing

@testable import BridgeProcess

@Suite("Process status") struct ProcessStatusTests {
    @Test(arguments: [
        ("S", 1, false), ("D", 1, false), ("T", 1, false), ("R", 3, false),
        ("Z", 1, true), ("X", 1, true),
        // Its first thread has ended and others go on.
        ("Z", 4, false),
    ])
    func `states and threads tell who is dead`(state: String, threads: Int, isDead: Bool) throws {
        let status = try #require(ProcessStatus(parsing: Self.line(name: "sh", state: state, threads: threads)))
        #expect(status.isDead == isDead)
        #expect(status.identity == ProcessIdentity(pid: 4242, startTime: 987654))
        #expect(status.parent == 17)
    }

    @Test(arguments: ["a b", ") Z 1 (", "((", "", "x\n"])
    func `no name confuses it`(name: String) throws {
        let status = try #require(ProcessStatus(parsing: Self.line(name: name, state: "S", threads: 1)))
        #expect(status.parent == 17)
        #expect(!status.isDead)
    }

    @Test func `what is not a status is none`() {
        #expect(ProcessStatus(parsing: "") == nil)
        #expect(ProcessStatus(parsing: "12 (sh) S 1 2") == nil)
        #expect(ProcessStatus(pid: pid_t.max) == nil)
    }

    @Test func `this process is alive`() throws {
        let status = try #require(ProcessStatus(pid: getpid()))
        #expect(status.identity.pid == getpid())
        #expect(status.parent == getppid())
        #expect(!status.isDead)
    }

    private static func line(name: String, state: String, threads: Int) -> String {
        "4242 (\(name)) \(state) 17 4242 4242 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 \(threads) 0 987654 2600960 200 0\n"
    }
}
