package import BridgeCore
package import BridgeProcess

/// What a worker answers to ``WorkerRequest/memory``: what it uses, and what its log had no room for.
package struct MemoryReport: LinkHeader, Hashable, Sendable {
    /// Nil when the kernel does not tell.
    package var use: MemoryUse?
    /// Records of its log that were dropped since it was started.
    package var droppedRecords: Int

    package init(_ use: MemoryUse?, droppedRecords: UInt64) {
        self.use = use
        self.droppedRecords = Int(clamping: droppedRecords)
    }

    package func write(to header: inout HeaderWriter) {
        header.member("pss", self.use?.proportional)
        header.member("anon", self.use?.anonymous)
        header.member("lost", self.droppedRecords)
    }

    package init?(reading header: inout HeaderReader) {
        let (proportional, anonymous) = (header.int("pss"), header.int("anon"))
        guard let dropped = header.int("lost") else { return nil }
        self.droppedRecords = dropped
        guard let proportional, let anonymous else { return }
        self.use = MemoryUse(proportional: proportional, anonymous: anonymous)
    }
}
