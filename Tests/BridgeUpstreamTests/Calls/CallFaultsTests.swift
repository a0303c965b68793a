import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Call faults") struct CallFaultsTests {
    private static let faults = CallFaults(upstream: "git")

    @Test(arguments: [
        (faults.unavailable("exited with code 3"), -32003, "upstream_unavailable", "did not run"),
        (faults.outcomeUnknown("killed by signal 9"), -32004, "outcome_unknown", "may have run"),
        (
            faults.timedOut(after: .milliseconds(250)), -32005, "timeout",
            "within 250 ms (timeouts.call, timeouts.tools); the call was cancelled and may"
        ),
        (faults.timedOut(after: .seconds(300)), -32005, "timeout", "within 300 s (timeouts.call"),
        (faults.overloaded, -32006, "overloaded", "did not run"),
    ])
    func `each says its code, its word, its upstream and whether the call ran`(
        fault: ToldFault, code: Int, word: String, phrase: String
    ) throws {
        let reply = try JSONText(validating: fault.reply(to: ByteBuffer(string: #""x""#)))
        let told = try #require(reply.value("error"))
        #expect(reply.string("id") == "x")
        #expect(told.int("code") == code)
        #expect(told.value("data")?.string("code") == word)
        #expect(told.value("data")?.string("upstream") == "git")
        #expect(told.string("message")?.contains("'git'") == true)
        #expect(told.string("message")?.contains(phrase) == true)
    }

    @Test func `a server that wants to be asked again later is quoted with the time`() throws {
        let fault = Self.faults.unavailable("it refused the request", retryAfter: 600)
        let error = try JSONText(validating: fault.reply(to: ByteBuffer(string: "1"))).value("error")
        #expect(error?.string("message")?.contains("asked again in 600 s") == true)
        let data = error?.value("data")
        #expect(data?.int("retryAfter") == 600 && data?.string("upstream") == "git")
    }
}
