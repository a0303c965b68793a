import BridgeCore
import FoundationEssentials
import NIOCore
import Testing

@Suite("Faults") struct FaultTableTests {
    private static let page = URL(filePath: #filePath)
        .deletingLastPathComponent()  // Faults
        .deletingLastPathComponent()  // BridgeCoreTests
        .deletingLastPathComponent()  // Tests
        .deletingLastPathComponent()
        .appending(path: "docs/errors.md")

    @Test func `the page of errors has every fault, as it is told`() throws {
        let lines = try String(contentsOf: Self.page, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        let table = lines.drop { !$0.hasPrefix("| word |") }.prefix { $0.hasPrefix("|") }
        let written = table.map { $0 + "\n" }.joined()
        #expect(written == FaultTable.markdown, "The page's table must be:\n\(FaultTable.markdown)")
        #expect(!FaultTable.markdown.contains("| | |"), "every fault says with which status it comes and what it means")
    }

    @Test func `every word stands for one fault`() {
        #expect(Set(FaultTable.all.map(\.word)).count == FaultTable.all.count)
        for fault in FaultTable.all { #expect(FaultTable.fault(fault.word) == fault) }
    }

    @Test func `a sentence is filled in, and what has no value is left out`() {
        let fault = Fault("example", -32000, 400, "The {thing} of {owner} is {state}")
        #expect(fault.told(["thing": "lamp", "state": "{off}"]).message == "The lamp of  is {off}")
        #expect(Fault("plain", -32000, 400, "No { here").told(["x": "y"]).message == "No { here")
    }

    @Test func `a reply has the word and what else there is to say in its data`() {
        let told = Fault.timeout.told(["upstream": "time"], details: JSONText(literal: #"{"upstream":"time"}"#))
        let reply = JSONText(trusting: told.reply(to: ByteBuffer(string: "7")))
        #expect(reply.int("id") == 7)
        #expect(reply.value("error")?.int("code") == -32005)
        #expect(reply.value("error")?.value("data")?.string("code") == "timeout")
        #expect(reply.value("error")?.value("data")?.string("upstream") == "time")
        #expect(JSONText(trusting: told.reply(to: nil)).value("id") == nil)
    }
}
