import CSpawn

/// Decides when what a burst has left free in the heap is given back to the system. The allocator does not do so by
/// itself: it keeps what it once had.
///
/// Pure. To be asked now and then, and not too often: what is free at two looks in a row is not needed.
package struct HeapTrim: Sendable, Equatable {
    /// Less than this is not worth the walk through the heap, in bytes.
    package let threshold: Int
    /// What was free when last looked, and what a trim left counted as free: pages that are given back count on.
    private var before = 0
    private var left = 0

    package init(threshold: Int = 4 << 20) { self.threshold = threshold }

    /// - Parameter free: what of the heap is free, in bytes.
    /// - Returns: whether to trim now; then say what is free after it with ``trimmed(free:)``.
    package mutating func look(free: Int) -> Bool {
        defer { self.before = free }
        self.left = min(self.left, free)
        return min(free, self.before) - self.left >= self.threshold
    }

    package mutating func trimmed(free: Int) {
        self.left = free
        self.before = free
    }
}

/// The heap of this process.
package enum ProcessHeap {
    /// From now on large blocks go back to the system when they are freed. By itself the allocator takes the first that is
    /// freed as a sign that more will come, and keeps them all.
    ///
    /// - Parameter octets: from which size on. Lower costs page faults for each message of that size.
    package static func mapLargeBlocks(from octets: Int32 = 2 << 20) { cspawn_heap_map_large(octets) }

    /// In bytes, what pages given back already are included.
    package static var freeBytes: Int { cspawn_heap_free_bytes() }
    /// Gives back what is free. Takes milliseconds where much is: for a quiet moment.
    package static func trim() { cspawn_heap_trim() }
}
