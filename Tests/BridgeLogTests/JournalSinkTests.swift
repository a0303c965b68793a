import BridgeLog
import BridgeSystemd
import Logging
import Testing

@Suite("Journal fields")
struct JournalSinkTests {
    private func fields(_ record: LogRecord) -> [String: String] {
        Dictionary(JournalSink.fields(of: LogEntry(record)).map { ($0.name, $0.value) }) { first, _ in first }
    }

    @Test func `a record becomes its fields`() {
        let fields = self.fields(
            record(
                "Call finished",
                level: .warning,
                label: "mcp-bridge.upstream",
                metadata: [
                    "mcp.tool": "github.search", "mcp.method": "tools/call",
                    "mcp.duration_us": .stringConvertible(1_200_000),
                    "mcp.request_id": "0e9a", "toolCount": "3", "message.id": "d34db33fd34db33fd34db33fd34db33f",
                ],
                base: ["mcp.worker": "upstream@github", "mcp.upstream": "github"]
            )
        )
        #expect(
            fields == [
                "MESSAGE":
                    "Call finished duration_us=1200000 method=tools/call tool=github.search upstream=github toolCount=3",
                "PRIORITY": "4", "SYSLOG_IDENTIFIER": "mcp-bridge", "MCP_LOGGER": "mcp-bridge.upstream",
                "CODE_FILE": "BridgeLogTests/Records.swift", "CODE_LINE": "42", "CODE_FUNC": "run()",
                "MCP_TOOL": "github.search", "MCP_METHOD": "tools/call", "MCP_DURATION_US": "1200000",
                "MCP_REQUEST_ID": "0e9a", "MCP_TOOL_COUNT": "3", "MESSAGE_ID": "d34db33fd34db33fd34db33fd34db33f",
                "MCP_WORKER": "upstream@github", "MCP_UPSTREAM": "github",
            ]
        )
    }

    @Test func `a record without metadata is its message alone`() {
        #expect(self.fields(record("shutting down"))["MESSAGE"] == "shutting down")
    }

    @Test func `values keep their newlines, and cannot make fields of their own`() {
        let fields = self.fields(record("line\nPRIORITY=0", metadata: ["mcp.tool": "a\nPRIORITY=0"]))
        #expect(fields["PRIORITY"] == "6")
        #expect(fields["MCP_TOOL"] == "a\nPRIORITY=0")
        #expect(fields["MESSAGE"] == "line\nPRIORITY=0 tool=\"a\\nPRIORITY=0\"")
    }

    @Test func `every field has a valid name`() {
        let entry = LogEntry(record("x", metadata: ["a b": "1", "": "2", "é": "3", "_trusted": "4"]))
        #expect(JournalSink.fields(of: entry).count == 11)
        #expect(JournalSink.fields(of: entry).allSatisfy { JournalEntry.isValidName($0.name) })
    }

    @Test(arguments: [
        (Logger.Level.trace, 7), (.debug, 7), (.info, 6), (.notice, 5), (.warning, 4), (.error, 3), (.critical, 2),
    ])
    func `levels become syslog priorities`(level: Logger.Level, priority: Int) {
        #expect(self.fields(record("x", level: level))["PRIORITY"] == String(priority))
    }
}
