/// What a cgroup may use. `nil` is left as it is.
package struct CgroupLimits: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable {
        case memory, cpu, tasks

        /// The controller that does it.
        var controller: String { self == .tasks ? "pids" : self.rawValue }
    }

    package enum Outcome: Hashable, Sendable {
        case enforced
        case notEnforced(reason: String)
    }

    /// Bytes. Above it, processes of the group are killed.
    package var memory: UInt64?
    /// Processors: 0.5 is half the time of one. At least 0.01.
    package var cpu: Double?
    /// Processes and threads.
    package var tasks: UInt64?

    package init(memory: UInt64? = nil, cpu: Double? = nil, tasks: UInt64? = nil) {
        self.memory = memory
        self.cpu = cpu
        self.tasks = tasks
    }

    package var isEmpty: Bool { self == CgroupLimits() }

    /// The files to write, and what to write into them.
    var settings: [(kind: Kind, file: String, value: String)] {
        var settings: [(Kind, String, String)] = []
        if let memory = self.memory { settings.append((.memory, "memory.max", "\(memory)")) }
        if let cpu = self.cpu { settings.append((.cpu, "cpu.max", "\(Self.quota(cpu)) \(Self.period)")) }
        if let tasks = self.tasks { settings.append((.tasks, "pids.max", "\(tasks)")) }
        return settings
    }

    /// Microseconds, the kernel's own default.
    private static let period = 100_000

    private static func quota(_ cpu: Double) -> Int {
        // The kernel takes no less than a millisecond; no machine has more than a million processors.
        Int((min(max(cpu, 0.01), 1_000_000) * Double(Self.period)).rounded())
    }
}
