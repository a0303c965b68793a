package import BridgeCore
package import BridgeProcess

/// What a worker answers to ``WorkerRequest/memory``.
package struct MemoryReport: LinkHeader {
    /// Nil when the kernel does not tell.
    package var use: MemoryUse?

    package init(_ use: MemoryUse?) { self.use = use }

    package func write(to header: inout HeaderWriter) {
        header.member("pss", self.use?.proportional)
        header.member("anon", self.use?.anonymous)
    }

    package init?(reading header: inout HeaderReader) {
        guard let proportional = header.int("pss"), let anonymous = header.int("anon") else { return nil }
        self.use = MemoryUse(proportional: proportional, anonymous: anonymous)
    }
}
