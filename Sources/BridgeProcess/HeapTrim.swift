import CSpawn
import Glibc

/// Decides when what a burst has left free in the heap is given back to the system. The allocator does not do so by
/// itself: it keeps what it once had.
///
/// Pure. To be asked now and then, and not too often: what is free at two looks in a row is not needed.
package struct HeapTrim: Sendable, Equatable {
    /// Less than this is not worth the walk through the heap, in bytes.
    package let threshold: Int
    /// What was free when last looked.
    private var before = 0
    /// The process's page faults when it last trimmed. Pages that are given back count as free all the same: only faults
    /// tell that there is something to give back again.
    private var faults = 0

    private static let page = 4_096

    package init(threshold: Int = 4 << 20) { self.threshold = threshold }

    /// - Parameters:
    ///   - free: what of the heap is free, in bytes.
    ///   - faults: the page faults that the process has had.
    /// - Returns: whether to trim now; then say so with ``trimmed(faults:)``.
    package mutating func look(free: Int, faults: Int) -> Bool {
        defer { self.before = free }
        return min(free, self.before) >= self.threshold && (faults - self.faults) * Self.page >= self.threshold
    }

    package mutating func trimmed(faults: Int) {
        self.faults = faults
        self.before = 0
    }
}

/// The heap of this process.
package enum ProcessHeap {
    /// From now on large blocks go back to the system when they are freed. By itself the allocator takes the first that is
    /// freed as a sign that more will come, and keeps them all.
    ///
    /// - Parameters:
    ///   - octets: from which size on. Lower costs page faults for each message of that size.
    ///   - kept: what may be free at the heap's end before the allocator gives it back by itself; ``trim()`` does not wait
    ///     for that.
    package static func mapLargeBlocks(from octets: Int32 = (4 << 20) + (64 << 10), keeping kept: Int32 = 8 << 20) {
        cspawn_heap_map_large(octets, kept)
    }

    /// In bytes, what pages given back already are included.
    package static var freeBytes: Int { cspawn_heap_free_bytes() }
    /// The page faults of this process that took no disk.
    package static var pageFaults: Int {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_minflt
    }
    /// Gives back what is free. Takes milliseconds where much is: for a quiet moment.
    package static func trim() { cspawn_heap_trim() }
}
