import Testing

@testable import BridgeProcess

@Suite("Short command") struct ShortCommandTests {
    private func shell(_ script: String, within limit: Duration = .seconds(30)) throws(ShortCommand.Failure) -> String {
        let bytes = try ShortCommand.output(
            of: "/bin/sh", ["-c", script], environment: ["PATH": "/usr/bin:/bin", "WORD": "told"], within: limit)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `its output is the answer, its environment what it was given`() throws {
        #expect(try self.shell("printf %s \"$WORD\"") == "told")
        #expect(try self.shell("printf %s \"${HOME-none}\"") == "none")
    }

    @Test func `much output does not stop it`() throws {
        #expect(try self.shell("head -c 60000 /dev/zero; head -c 200000 /dev/zero >&2").utf8.count == 60_000)
        #expect(throws: ShortCommand.Failure(description: "its answer is too long")) {
            try self.shell("head -c 300000 /dev/zero")
        }
    }

    @Test func `one that fails says why`() {
        #expect(throws: ShortCommand.Failure(description: "it ended with status 3: no such item")) {
            try self.shell("echo no such item >&2; exit 3")
        }
        #expect(throws: ShortCommand.Failure(description: "it was killed by signal 9")) { try self.shell("kill -9 $$") }
        #expect(throws: ShortCommand.Failure.self) {
            try ShortCommand.output(of: "/no/such", [], environment: [:], within: .seconds(1))
        }
    }

    @Test func `one that does not answer is asked to end, and then made to`() {
        let none = ShortCommand.Failure(description: "there was no answer within 0 s")
        #expect(throws: none) { try self.shell("exec cat /dev/zero > /dev/null", within: .milliseconds(100)) }
        #expect(throws: none) { try self.shell("trap '' TERM; while :; do :; done", within: .milliseconds(100)) }
    }

    @Test func `what it leaves behind with its pipes is not waited for`() throws {
        #expect(try self.shell("sleep 300 & printf answer") == "answer")
    }
}
