import BridgeAccess
import Testing

@Suite("Token scopes") struct TokenScopeTests {
    @Test(arguments: [
        "mcp", "mcp,chat,source,admin", "server:calculator,tool:git.*", "tool:a%2Eb.c.d*", "server:50%25%2C",
    ])
    func `a scope reads what it writes`(text: String) throws {
        #expect(try TokenScope(text).text == text)
    }
}
