import BridgeLog
import BridgeSystemd
import Testing

@Suite("Log keys")
struct LogKeyTests {
    @Test(arguments: [
        ("mcp.worker", "MCP_WORKER"), ("mcp.upstream", "MCP_UPSTREAM"), ("mcp.session", "MCP_SESSION"),
        ("mcp.request_id", "MCP_REQUEST_ID"), ("mcp.token", "MCP_TOKEN"), ("mcp.method", "MCP_METHOD"),
        ("mcp.tool", "MCP_TOOL"), ("mcp.duration_us", "MCP_DURATION_US"), ("mcp.direction", "MCP_DIRECTION"),
        ("message.id", "MESSAGE_ID"),
    ])
    func `the known keys have their fields`(key: String, field: String) {
        #expect(LogKey.journalField(of: key) == field)
    }

    @Test(arguments: [
        ("toolCount", "MCP_TOOL_COUNT"), ("mcp.tool_count", "MCP_TOOL_COUNT"), ("sessionId", "MCP_SESSION_ID"),
        ("connection.peer", "MCP_CONNECTION_PEER"), ("overseerURL", "MCP_OVERSEER_URL"), ("http2", "MCP_HTTP2"),
        ("error.message", "MCP_ERROR_MESSAGE"), ("a--b", "MCP_A_B"), ("_pid", "MCP_PID"), ("9lives", "MCP_9LIVES"),
        ("", "MCP_UNNAMED"), ("mcp.", "MCP_UNNAMED"), ("größe", "MCP_GR_E"), ("ключ", "MCP_UNNAMED"),
        ("a=b\nc", "MCP_A_B_C"),
    ])
    func `any other key is put in upper case, its words apart`(key: String, field: String) {
        #expect(LogKey.journalField(of: key) == field)
        #expect(JournalEntry.isValidName(field))
    }

    @Test func `every key makes a valid field`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2_000 {
            let key = String(
                decoding: (0..<Int.random(in: 0...100)).map { _ in UInt8.random(in: 0...255, using: &generator) },
                as: UTF8.self)
            #expect(JournalEntry.isValidName(LogKey.journalField(of: key)))
        }
    }
}
