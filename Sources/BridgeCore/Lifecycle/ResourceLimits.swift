/// What an upstream's processes may use together; enforced where its cgroup has the controller.
package struct ResourceLimits: Sendable, Hashable, Codable {
    package var memoryBytes: Int?
    /// Of one core: 150 is one and a half.
    package var cpuPercent: Double?
    /// Processes and threads.
    package var tasks: Int?

    package init(memoryBytes: Int? = nil, cpuPercent: Double? = nil, tasks: Int? = nil) {
        self.memoryBytes = memoryBytes
        self.cpuPercent = cpuPercent
        self.tasks = tasks
    }

    package var isEmpty: Bool { self == ResourceLimits() }
}
