import HTTPTypes
import Logging
import Synchronization
import Testing

@testable import BridgeFront

@Suite("Call records") struct CallRecordTests {
    private struct Entry: Sendable {
        let level: Logger.Level
        let metadata: Logger.Metadata
    }

    private final class Entries: Sendable {
        let list = Mutex<[Entry]>([])
    }

    /// Keeps what is logged.
    private struct Recorder: LogHandler {
        let entries = Entries()
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { self.metadata[key] }
            set { self.metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            self.entries.list.withLock { $0.append(Entry(level: event.level, metadata: event.metadata ?? [:])) }
        }
    }

    private static func log(_ level: Logger.Level, _ body: (Logger) -> Void) -> [Entry] {
        let recorder = Recorder(logLevel: level)
        body(Logger(label: "test") { _ in recorder })
        return recorder.entries.list.withLock { $0 }
    }

    private static let record = CallRecord(id: RequestID(0, 0), method: "tools/call\n", session: "abc")

    @Test func `a call that went well is a debug record with its fields, and without its session's id`() throws {
        let entry = try #require(Self.log(.debug) { Self.record.finish($0, status: .ok) }.first)
        #expect(entry.level == .debug)
        #expect(entry.metadata["mcp.request_id"] == "00000000-0000-4000-8000-000000000000")
        #expect(entry.metadata["mcp.method"] == "tools/call?")
        #expect(entry.metadata["mcp.session"] == "ba7816bf")
        #expect(entry.metadata["mcp.duration_us"] != nil)
        #expect(!entry.metadata.values.contains("abc"))
    }

    @Test func `it is not worth a record at info`() {
        #expect(Self.log(.info) { Self.record.finish($0, status: .ok) }.isEmpty)
    }

    @Test func `a call that failed is`() {
        let byStatus = Self.log(.info) { Self.record.finish($0, status: .notFound) }
        #expect(byStatus.map(\.level) == [.info])
        let byWord = Self.log(.info) { Self.record.finish($0, status: .ok, failure: "outcome_unknown") }
        #expect(byWord.first?.metadata["error.code"] == "outcome_unknown")
    }
}
