import BridgeSystemd
import Testing

@Suite("Journal entry")
struct JournalEntryTests {
    @Test func `fields keep their order and any value`() {
        var entry = JournalEntry()
        #expect(entry.isEmpty)
        entry.append("MESSAGE", "two\nlines = fine")
        entry.append("MCP_EMPTY", "")
        entry.append("MCP_BYTES", [0x41, 0x00, 0x42])
        let fields = entry.fields
        #expect(fields.map(\.name) == ["MESSAGE", "MCP_EMPTY", "MCP_BYTES"])
        #expect(fields.map(\.value) == ["two\nlines = fine", "", "A\0B"])
        entry.removeAll()
        #expect(entry.isEmpty && entry.fields.isEmpty)
    }

    @Test(arguments: [
        ("MESSAGE", true), ("MCP_DURATION_US", true), ("A1", true), (String(repeating: "A", count: 64), true),
        ("", false), ("_PID", false), ("1A", false), ("lower", false), ("A-B", false), ("A=B", false), ("A B", false),
        ("Ä", false), (String(repeating: "A", count: 65), false),
    ])
    func `a name that the journal would refuse is not taken`(name: String, isValid: Bool) {
        var entry = JournalEntry()
        #expect(JournalEntry.isValidName(name) == isValid)
        #expect(entry.append(name, "x") == isValid)
        #expect(entry.isEmpty == !isValid)
    }

    @Test func `a record has a bounded number of fields`() {
        var entry = JournalEntry()
        for number in 0..<JournalEntry.maximumFields { entry.append("F\(number)", "x") }
        let isTaken = entry.append("ONE_MORE", "x")
        #expect(!isTaken)
        #expect(entry.fields.count == JournalEntry.maximumFields)
    }
}
