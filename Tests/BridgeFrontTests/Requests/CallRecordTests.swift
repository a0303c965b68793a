import Logging
import NIOCore
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

    private static let record = CallRecord(
        method: "tools/call\n", session: "abc", elapsed: .milliseconds(3))
    private static let id = RequestID(0, 0)

    @Test func `a call that went well is a debug record with its fields, and without its session's id`() throws {
        let entry = try #require(Self.log(.debug) { Self.record.write(to: $0, status: 200, id: Self.id) }.first)
        #expect(entry.level == .debug)
        #expect(entry.metadata["mcp.request_id"] == "00000000-0000-4000-8000-000000000000")
        #expect(entry.metadata["mcp.method"] == "tools/call?")
        #expect(entry.metadata["mcp.session"] == "ba7816bf")
        #expect(entry.metadata["mcp.duration_us"] == "3000")
        #expect(!entry.metadata.values.contains("abc"))
    }

    @Test func `it is not worth a record at info, nor an id`() {
        var asked = 0
        func id() -> RequestID {
            asked += 1
            return Self.id
        }
        #expect(Self.log(.info) { Self.record.write(to: $0, status: 200, id: id()) }.isEmpty)
        #expect(asked == 0)
    }

    @Test func `one that took more than a second is, unless it is a stream`() {
        func record(isLong: Bool) -> CallRecord {
            CallRecord(method: "GET", session: nil, elapsed: .milliseconds(1_001), isLong: isLong)
        }
        let slow = Self.log(.info) { record(isLong: false).write(to: $0, status: 200, id: Self.id) }
        #expect(slow.count == 1)
        #expect(slow.first?.metadata["mcp.request_id"] == "\(Self.id)")
        #expect(Self.log(.info) { record(isLong: true).write(to: $0, status: 200, id: Self.id) }.isEmpty)
    }

    @Test func `a call that failed is`() {
        let byStatus = Self.log(.info) { Self.record.write(to: $0, status: 404, id: Self.id) }
        #expect(byStatus.map(\.level) == [.info])
        let byWord = Self.log(.info) { Self.record.write(to: $0, status: 200, failure: "outcome_unknown", id: Self.id) }
        #expect(byWord.first?.metadata["error.code"] == "outcome_unknown")
    }
}
