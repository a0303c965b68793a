import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("The table of methods") struct MethodTableTests {
    @Test func `has a list method for every offering, under the name that the offering gives it`() {
        for offering in Offering.all {
            #expect(MethodTable.standard[offering.listMethod]?.target == .list(offering))
            #expect(MethodTable.standard.onlyReads(offering.listMethod))
        }
    }

    @Test func `does not let a call be sent twice, nor a method that nobody knows`() {
        for name in ["tools/call", "resources/subscribe", "logging/setLevel", "made/up", ""] {
            #expect(!MethodTable.standard.onlyReads(name))
        }
    }

    @Test func `can be made smaller`() {
        let table = MethodTable.standard.filter { $0.offering == .tools }
        #expect(table["tools/call"] != nil && table["tools/list"] != nil)
        #expect(table["prompts/get"] == nil && table["ping"] == nil)
    }

    @Test func `says of an entry that no server lists what its offering says`() {
        #expect(Offering.tools.unknownEntry("x").word == "unknown_tool")
        #expect(Offering.tools.unknownEntry("x").message == "Unknown tool 'x'.")
        let prompt = Offering.prompts.unknownEntry(String(repeating: "x", count: 300))
        #expect(prompt.word == "unknown_prompt")
        #expect(prompt.message == "Unknown prompt '\(String(repeating: "x", count: 256))'.")
    }
}
