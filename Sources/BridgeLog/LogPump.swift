import BridgeCore
import Dispatch
import Glibc
import Logging
import Synchronization

/// The one logging thread of the process, and the queue in front of it.
///
/// A log statement holds a lock while it appends to an array, and never waits for a sink: when the sinks are slower than
/// the callers for long enough, records are dropped and counted, and the count is logged. The thread lives, and keeps
/// the pump alive, until ``stop(timeout:)``.
package final class LogPump: Sendable {
    private struct State {
        var queue: LogQueue
        /// Callers of ``LogPump/flush(timeout:)``, and the number of written records each waits for.
        var waiting: [(target: UInt64, semaphore: DispatchSemaphore)] = []
    }

    private let state: Mutex<State>
    /// The thread alone takes this lock, and holds it while it writes.
    private let sinks: Mutex<[any LogSink]>
    private let wakeUp = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - sinks: where every record goes, in this order.
    ///   - capacity: the number of records that may wait.
    ///   - byteCapacity: the bytes that these may keep alive, roughly.
    package init(
        sinks: sending [any LogSink],
        capacity: Int = 8_192,
        byteCapacity: Int = 32 << 20
    ) throws(LogError) {
        self.state = Mutex(State(queue: LogQueue(capacity: capacity, byteCapacity: byteCapacity)))
        self.sinks = Mutex(sinks)
        try LogThread.start { self.run() }
    }

    /// How many records were dropped since the start.
    package var droppedRecords: UInt64 {
        self.state.withLock { $0.queue.dropped }
    }

    /// Queues a record, or drops it. Never blocks on a sink.
    package func append(_ record: LogRecord) {
        if self.state.withLock({ $0.queue.append(record) }) == .wake { self.wakeUp.signal() }
    }

    /// Waits until everything appended so far has gone through the sinks. Blocks the calling thread: not for an event
    /// loop.
    ///
    /// - Returns: `false` when that took longer than `timeout`.
    @discardableResult
    package func flush(timeout: Duration) -> Bool {
        let semaphore = DispatchSemaphore(value: 0)
        let isDone = self.state.withLock { state in
            guard state.queue.written < state.queue.accepted else { return true }
            state.waiting.append((state.queue.accepted, semaphore))
            return false
        }
        return isDone || semaphore.wait(timeout: .now() + timeout.dispatchInterval) == .success
    }

    /// Writes what is queued and ends the thread; records appended from now on are dropped. May be called again.
    ///
    /// - Returns: `false` when that took longer than `timeout`; the thread then goes on behind the caller's back.
    @discardableResult
    package func stop(timeout: Duration) -> Bool {
        if self.state.withLock({ $0.queue.stop() }) { self.wakeUp.signal() }
        guard self.ended.wait(timeout: .now() + timeout.dispatchInterval) == .success else { return false }
        self.ended.signal()
        return true
    }

    private func run() {
        var batch: [LogRecord] = []
        while true {
            batch.removeAll(keepingCapacity: batch.capacity <= 1_024)
            switch self.next(into: &batch) {
            case .write(let dropped): self.write(batch, dropped: dropped)
            case .sleep: self.wakeUp.wait()
            case .end:
                self.ended.signal()
                return
            }
        }
    }

    private func next(into batch: inout [LogRecord]) -> LogQueue.Step {
        let (step, served) = self.state.withLock { state in
            let step = state.queue.next(into: &batch)
            let written = state.queue.written
            let served = state.waiting.filter { $0.target <= written }.map(\.semaphore)
            if !served.isEmpty { state.waiting.removeAll { $0.target <= written } }
            return (step, served)
        }
        for semaphore in served { semaphore.signal() }
        return step
    }

    private func write(_ batch: [LogRecord], dropped: Int) {
        self.sinks.withLock { sinks in
            for record in batch { Self.write(record, to: &sinks) }
            if dropped > 0 { Self.write(Self.reportOfDropped(dropped), to: &sinks) }
            for index in sinks.indices { sinks[index].flush() }
        }
    }

    private static func write(_ record: LogRecord, to sinks: inout [any LogSink]) {
        let entry = LogEntry(record)
        for index in sinks.indices { sinks[index].write(entry) }
    }

    private static func reportOfDropped(_ count: Int) -> LogRecord {
        let event = LogEvent(
            level: .warning,
            message: "Log records were dropped, because they came faster than they could be written",
            metadata: ["count": .stringConvertible(count)],
            source: nil,
            file: #fileID,
            function: #function,
            line: #line
        )
        return LogRecord(time: .now(), label: "mcp-bridge.log", event: event)
    }
}

extension Duration {
    fileprivate var dispatchInterval: DispatchTimeInterval {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return .nanoseconds(0) }
        guard seconds < 1_000_000_000 else { return .never }
        return .nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
    }
}
