import BridgeLog
import Dispatch
import Logging
import Synchronization
import Testing

@Suite("Log pump", .timeLimit(.minutes(1)))
struct LogPumpTests {
    @Test func `records come out in the order they went in, in every sink`() throws {
        let first = Collected()
        let second = Collected()
        let pump = try LogPump(sinks: [CollectingSink(first), CollectingSink(second)])
        for number in 0..<5_000 { pump.append(record("\(number)")) }
        #expect(pump.flush(timeout: .seconds(30)))
        let expected = (0..<5_000).map(String.init)
        #expect(first.messages == expected)
        #expect(second.messages == expected)
        #expect(pump.droppedRecords == 0)
        #expect(pump.stop(timeout: .seconds(30)))
    }

    @Test func `a blocked sink holds up no caller, and what did not fit is counted and reported`() throws {
        let collected = Collected()
        let gate = Gate()
        let pump = try LogPump(sinks: [GatedSink(gate, collected)], capacity: 100)
        pump.append(record("first"))
        gate.waitUntilReached()

        // The thread is held inside the sink with one record in hand: 99 more fit.
        for number in 1..<150 { pump.append(record("\(number)")) }
        #expect(pump.droppedRecords == 50)
        #expect(!pump.flush(timeout: .milliseconds(1)))
        #expect(collected.messages.isEmpty)

        gate.open()
        #expect(pump.flush(timeout: .seconds(30)))
        #expect(pump.stop(timeout: .seconds(30)))
        let expected: [String] = ["first"] + (1..<100).map(String.init)
        #expect(Array(collected.messages.prefix(100)) == expected)
        let report = try #require(collected.entries.last)
        #expect(collected.entries.count == 101)
        #expect(report.level == .warning)
        #expect(report["count"] == "50")
    }

    @Test func `records that are heavy together are bounded by their bytes`() throws {
        let collected = Collected()
        let gate = Gate()
        let pump = try LogPump(sinks: [GatedSink(gate, collected)], byteCapacity: 10_000)
        pump.append(record("first"))
        gate.waitUntilReached()
        let heavy = String(repeating: "x", count: 4_000)
        pump.append(record(heavy))
        pump.append(record("", metadata: ["text": "\(heavy)"]))
        pump.append(record(heavy))
        pump.append(record("light"))
        #expect(pump.droppedRecords == 1)
        gate.open()
        #expect(pump.stop(timeout: .seconds(30)))
        #expect(collected.messages.prefix(4) == ["first", heavy, "", "light"])
    }

    @Test func `stopping writes what is queued, ends the thread and takes nothing more`() throws {
        let collected = Collected()
        let pump = try LogPump(sinks: [CollectingSink(collected)])
        for number in 0..<100 { pump.append(record("\(number)")) }
        #expect(pump.stop(timeout: .seconds(30)))
        #expect(collected.messages.count == 100)
        pump.append(record("late"))
        #expect(pump.stop(timeout: .seconds(30)))
        #expect(pump.flush(timeout: .seconds(30)))
        #expect(collected.messages.count == 100)
        #expect(pump.droppedRecords == 1)
    }

    @Test func `stopping with a blocked sink gives up in time`() throws {
        let gate = Gate()
        let collected = Collected()
        let pump = try LogPump(sinks: [GatedSink(gate, collected)])
        pump.append(record("stuck"))
        gate.waitUntilReached()
        #expect(!pump.stop(timeout: .milliseconds(1)))
        gate.open()
        #expect(pump.stop(timeout: .seconds(30)))
        #expect(collected.messages == ["stuck"])
    }

    @Test func `a sink is flushed before a flush returns`() throws {
        let collected = Collected()
        let pump = try LogPump(sinks: [BufferingSink(collected)])
        pump.append(record("buffered"))
        #expect(pump.flush(timeout: .seconds(30)))
        #expect(collected.messages == ["buffered"])
        #expect(pump.stop(timeout: .seconds(30)))
    }

    @Test func `an idle thread wakes for each record`() throws {
        let collected = Collected()
        let pump = try LogPump(sinks: [CollectingSink(collected)])
        for number in 0..<200 {
            pump.append(record("\(number)"))
            #expect(pump.flush(timeout: .seconds(30)))
        }
        #expect(collected.messages.count == 200)
        #expect(pump.stop(timeout: .seconds(30)))
    }

    @Test func `many callers at once lose nothing and each keeps its order`() async throws {
        let collected = Collected()
        let pump = try LogPump(sinks: [CollectingSink(collected)])
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask { for number in 0..<1_000 { pump.append(record("\(caller).\(number)")) } }
            }
        }
        #expect(pump.stop(timeout: .seconds(30)))
        for caller in 0..<4 {
            let own = collected.messages.filter { $0.hasPrefix("\(caller).") }
            #expect(own == (0..<1_000).map { "\(caller).\($0)" })
        }
    }
}

/// What a sink got, to look at from the test.
final class Collected: Sendable {
    private let storage = Mutex<[LogEntry]>([])

    var entries: [LogEntry] { self.storage.withLock { $0 } }
    var messages: [String] { self.entries.map(\.message) }

    func add(_ entry: LogEntry) { self.storage.withLock { $0.append(entry) } }
}

struct CollectingSink: LogSink {
    let collected: Collected

    init(_ collected: Collected) { self.collected = collected }

    func write(_ entry: LogEntry) { self.collected.add(entry) }
}

private struct BufferingSink: LogSink {
    let collected: Collected
    private var buffer: [LogEntry] = []

    init(_ collected: Collected) { self.collected = collected }

    mutating func write(_ entry: LogEntry) { self.buffer.append(entry) }

    mutating func flush() {
        for entry in self.buffer { self.collected.add(entry) }
        self.buffer = []
    }
}

/// Holds whoever passes until it is opened, and tells when somebody is there.
private final class Gate: Sendable {
    private let reached = DispatchSemaphore(value: 0)
    private let opened = DispatchSemaphore(value: 0)

    func pass() {
        self.reached.signal()
        self.opened.wait()
        self.opened.signal()
    }

    func waitUntilReached() { self.reached.wait() }

    func open() { self.opened.signal() }
}

private struct GatedSink: LogSink {
    let gate: Gate
    let collected: Collected

    init(_ gate: Gate, _ collected: Collected) {
        self.gate = gate
        self.collected = collected
    }

    func write(_ entry: LogEntry) {
        self.gate.pass()
        self.collected.add(entry)
    }
}
