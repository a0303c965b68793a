import BridgeLog
import Logging
import Testing

@Suite("Log entry")
struct LogEntryTests {
    private enum Broken: Error { case badly }

    @Test func `the statement wins over its context, and the context over the logger`() {
        let entry = LogEntry(
            record(
                "x",
                metadata: ["c": "statement"],
                base: ["a": "logger", "b": "logger", "c": "logger"],
                provided: ["b": "context", "c": "context"]
            )
        )
        #expect(entry.metadata.map(\.key) == ["a", "b", "c"])
        #expect(entry.metadata.map(\.value.description) == ["logger", "context", "statement"])
        #expect(entry["b"] == "context")
        #expect(entry["d"] == nil)
    }

    @Test func `an error is metadata`() {
        let entry = LogEntry(record("x", error: Broken.badly))
        #expect(entry["error.message"] == "badly")
        #expect(entry["error.type"]?.hasSuffix("Broken") == true)
    }
}
