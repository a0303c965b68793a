import BridgeLog
import Logging
import Testing

@Suite("Log queue")
struct LogQueueTests {
    @Test func `only a sleeping thread is woken, and once`() {
        var queue = LogQueue(capacity: 10, byteCapacity: .max)
        var batch: [LogRecord] = []
        #expect(queue.append(record("a")) == .queued)
        #expect(queue.next(into: &batch) == .write(dropped: 0))
        #expect(batch.map(\.event.message) == ["a"])
        batch = []
        #expect(queue.next(into: &batch) == .sleep)
        #expect(queue.append(record("b")) == .wake)
        #expect(queue.append(record("c")) == .queued)
        #expect(queue.next(into: &batch) == .write(dropped: 0))
        #expect(batch.map(\.event.message) == ["b", "c"])
    }

    @Test func `what the thread has in hand counts until it comes back for more`() {
        var queue = LogQueue(capacity: 2, byteCapacity: .max)
        var batch: [LogRecord] = []
        #expect(queue.append(record("a")) == .queued)
        #expect(queue.append(record("b")) == .queued)
        #expect(queue.append(record("c")) == .dropped)
        #expect(queue.next(into: &batch) == .write(dropped: 1))
        #expect(queue.append(record("d")) == .dropped)
        batch = []
        #expect(queue.next(into: &batch) == .write(dropped: 1))
        #expect(batch.isEmpty)
        #expect(queue.append(record("e")) == .queued)
        #expect((queue.accepted, queue.written, queue.dropped) == (3, 2, 2))
    }

    @Test func `a stopped queue is emptied and then ends`() {
        var queue = LogQueue(capacity: 2, byteCapacity: .max)
        var batch: [LogRecord] = []
        #expect(queue.append(record("a")) == .queued)
        let busy = queue.stop()
        #expect(!busy)
        #expect(queue.append(record("b")) == .dropped)
        #expect(queue.next(into: &batch) == .write(dropped: 1))
        batch = []
        #expect(queue.next(into: &batch) == .end)
        #expect(queue.append(record("c")) == .dropped)
    }

    @Test func `stopping wakes a sleeping thread`() {
        var queue = LogQueue(capacity: 2, byteCapacity: .max)
        var batch: [LogRecord] = []
        #expect(queue.next(into: &batch) == .sleep)
        let first = queue.stop()
        let second = queue.stop()
        #expect(first && !second)
        #expect(queue.next(into: &batch) == .end)
    }
}
