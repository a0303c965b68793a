/// Decides what happens to records between the callers and the logging thread.
///
/// Pure: it holds no lock and wakes nobody. Callers ``append(_:)``; the thread calls ``next(into:)`` whenever it is done
/// with what it was given, and does what comes back. Records leave in the order they came.
package struct LogQueue {
    package enum Appended: Hashable, Sendable {
        case queued
        /// Queued, and the thread sleeps: wake it.
        case wake
        /// The queue was full, or its thread has ended.
        case dropped
    }

    package enum Step: Hashable, Sendable {
        /// Write the batch, then say that so many records were dropped after it (0: say nothing).
        case write(dropped: Int)
        /// Nothing to do: sleep until woken.
        case sleep
        /// Stopped, and nothing is left.
        case end
    }

    private enum Phase {
        /// The thread writes, or is about to look. May move to `asleep` or `stopping`.
        case busy
        /// The thread waits to be woken. May move to `busy` or `stopping`.
        case asleep
        /// What is queued is still written, nothing more is taken. Moves to `ended`.
        case stopping
        case ended
    }

    /// Every record accepted and not yet written counts, those in the thread's hands included.
    package let capacity: Int
    /// The bytes that these records may keep alive.
    package let byteCapacity: Int

    private var phase = Phase.busy
    private var pending: [LogRecord] = []
    private var pendingBytes = 0
    private var inHand = 0
    private var inHandBytes = 0
    private var droppedSinceReport = 0

    /// Records ever accepted.
    package private(set) var accepted: UInt64 = 0
    /// Records ever written; equal to ``accepted`` when nothing is under way.
    package private(set) var written: UInt64 = 0
    /// Records ever dropped.
    package private(set) var dropped: UInt64 = 0

    package init(capacity: Int, byteCapacity: Int) {
        self.capacity = capacity
        self.byteCapacity = byteCapacity
    }

    package mutating func append(_ record: LogRecord) -> Appended {
        let weight = record.weight
        let isTaken: Bool
        switch self.phase {
        case .busy, .asleep:
            isTaken =
                self.pending.count + self.inHand < self.capacity
                && self.pendingBytes + self.inHandBytes + weight <= self.byteCapacity
        case .stopping, .ended:
            isTaken = false
        }
        guard isTaken else {
            self.dropped += 1
            self.droppedSinceReport += 1
            return .dropped
        }
        self.pending.append(record)
        self.pendingBytes += weight
        self.accepted += 1
        return self.wake() ? .wake : .queued
    }

    /// The thread's last batch is written; puts the next into `batch`, which must be empty.
    package mutating func next(into batch: inout [LogRecord]) -> Step {
        self.written += UInt64(self.inHand)
        self.inHand = 0
        self.inHandBytes = 0
        let dropped = self.droppedSinceReport
        guard self.pending.isEmpty, dropped == 0 else {
            swap(&self.pending, &batch)
            self.inHand = batch.count
            self.inHandBytes = self.pendingBytes
            self.pendingBytes = 0
            self.droppedSinceReport = 0
            return .write(dropped: dropped)
        }
        switch self.phase {
        case .busy, .asleep:
            self.phase = .asleep
            return .sleep
        case .stopping, .ended:
            self.phase = .ended
            return .end
        }
    }

    /// Takes nothing more.
    ///
    /// - Returns: whether the thread sleeps and must be woken.
    package mutating func stop() -> Bool {
        let wakes = self.wake()
        if self.phase == .busy { self.phase = .stopping }
        return wakes
    }

    private mutating func wake() -> Bool {
        guard self.phase == .asleep else { return false }
        self.phase = .busy
        return true
    }
}
