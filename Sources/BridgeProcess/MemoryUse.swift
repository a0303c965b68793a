/// What this process uses of the machine's memory, as the kernel counts it.
package struct MemoryUse: Hashable, Sendable {
    /// Proportional set size, in bytes: a page that several processes map counts for each with its share.
    package let proportional: Int
    /// The part of it that is no file's: what grows when something leaks.
    package let anonymous: Int

    package init(proportional: Int, anonymous: Int) {
        self.proportional = proportional
        self.anonymous = anonymous
    }

    /// Reads the text of `/proc/<pid>/smaps_rollup`; `nil` when it is something else.
    package init?(parsing text: String) {
        guard let proportional = Self.bytes("Pss:", in: text) else { return nil }
        self.init(proportional: proportional, anonymous: Self.bytes("Pss_Anon:", in: text) ?? 0)
    }

    /// `Pss:                1234 kB`
    private static func bytes(_ key: String, in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            guard let kibibytes = line.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
            let (bytes, overflow) = kibibytes.multipliedReportingOverflow(by: 1024)
            return overflow ? nil : bytes
        }
        return nil
    }

    /// Walks through all of the process's pages, which takes milliseconds when they are many: not for an event loop.
    package static func ofThisProcess() -> MemoryUse? {
        (try? SystemFile.read("/proc/self/smaps_rollup")).flatMap { MemoryUse(parsing: $0) }
    }
}

extension ProcessThread {
    /// Looks at this process's memory on the process thread; others cannot, once ``ProcessSecrecy`` is enabled.
    ///
    /// - Parameter done: called on the process thread; with `nil` where the kernel does not tell, or is too old.
    package func memory(_ done: @escaping @Sendable (MemoryUse?) -> Void) {
        self.enqueue { _ in done(.ofThisProcess()) }
    }
}
