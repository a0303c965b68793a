import BridgeMCP
import Testing

@Suite("Instructions") struct InstructionsTests {
    @Test func `servers are named and say what they say`() {
        let text = Instructions.merged(
            own: "Be kind.", servers: [("time", "time", "Ask me."), ("files", "f", nil), ("bare", "", " \n")],
            separator: ".")
        #expect(text == "Be kind.\n\nNames begin with the server that has them: time., f..\n\n## time\nAsk me.")
    }

    @Test func `one server without a word needs none`() {
        #expect(Instructions.merged(own: nil, servers: [("time", "time", nil)], separator: ".") == nil)
        #expect(Instructions.merged(own: nil, servers: [], separator: ".") == nil)
    }

    @Test func `whatever they say, it is bounded`() throws {
        let long = String(repeating: "é", count: 5_000)
        let servers = (0..<20).map { ("s\($0)", "s\($0)", Optional(long)) }
        let text = try #require(Instructions.merged(own: nil, servers: servers, separator: "."))
        #expect(text.utf8.count < Instructions.maximum + 200)
        #expect(text.contains("further servers are left out"))
        #expect(text.contains("…\n\n## s1"))
    }
}
