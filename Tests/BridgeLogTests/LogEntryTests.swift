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

    @Test(arguments: [
        (LogTime(seconds: 0, nanoseconds: 0), "1970-01-01T00:00:00.000Z"),
        (LogTime(seconds: 1_785_229_503, nanoseconds: 7_999_999), "2026-07-28T09:05:03.007Z"),
        (LogTime(seconds: 951_782_399, nanoseconds: 999_999_999), "2000-02-28T23:59:59.999Z"),
        (LogTime(seconds: 951_782_400, nanoseconds: 0), "2000-02-29T00:00:00.000Z"),
    ])
    func `times are written as JavaScript writes them`(time: LogTime, text: String) {
        var buffer: [UInt8] = []
        time.write(to: &buffer)
        #expect(String(decoding: buffer, as: UTF8.self) == text)
    }
}
