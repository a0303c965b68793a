import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Call errors") struct CallErrorTests {
    @Test(arguments: [
        (CallError.unavailable(reason: "exited with code 3"), -32003, "upstream_unavailable", "did not run"),
        (.outcomeUnknown(reason: "killed by signal 9"), -32004, "outcome_unknown", "may have run"),
        (.timedOut(after: .milliseconds(250)), -32005, "timeout", "may have run"),
        (.overloaded, -32006, "overloaded", "did not run"),
    ])
    func `each says its code, its word, its upstream and whether the call ran`(
        error: CallError, code: Int, word: String, phrase: String
    ) throws {
        let reply = try JSONText(validating: error.reply(to: ByteBuffer(string: #""x""#), upstream: "git"))
        let told = try #require(reply.value("error"))
        #expect(reply.string("id") == "x")
        #expect(told.int("code") == code)
        #expect(told.value("data")?.string("code") == word)
        #expect(told.string("message")?.contains("'git'") == true)
        #expect(told.string("message")?.contains(phrase) == true)
    }
}
