package import BridgeCore
package import BridgeFiles

/// What the processes of a group may use together.
extension Cgroup {
    package enum Limit: String, Hashable, Sendable, CaseIterable {
        case memory, cpu, tasks

        /// The controller that does it.
        var controller: String { self == .tasks ? "pids" : self.rawValue }
    }

    package enum LimitOutcome: Hashable, Sendable {
        case enforced
        case notEnforced(reason: String)
    }

    /// Hands the controllers down to the groups below. For this group itself no process may be in it.
    ///
    /// - Returns: Those that are not handed down, with the reason.
    @discardableResult
    package func delegateControllers() -> [Limit: SystemCallError] {
        var refused: [Limit: SystemCallError] = [:]
        for kind in Limit.allCases {
            do throws(SystemCallError) {
                try SystemFile.write("+\(kind.controller)", to: self.file("cgroup.subtree_control"))
            } catch {
                refused[kind] = error
            }
        }
        return refused
    }

    /// Sets what can be set, and says of each limit that was asked for whether it holds.
    package func apply(_ limits: ResourceLimits) -> [Limit: LimitOutcome] {
        let controllers =
            (try? SystemFile.read(self.file("cgroup.controllers")))?.split { $0 == " " || $0 == "\n" } ?? []
        var outcomes: [Limit: LimitOutcome] = [:]
        for (kind, file, value) in Self.settings(limits) {
            guard controllers.contains(Substring(kind.controller)) else {
                outcomes[kind] = .notEnforced(
                    reason: "the \(kind.controller) controller is not available in \(self.directory)"
                )
                continue
            }
            do throws(SystemCallError) {
                try SystemFile.write(value, to: self.file(file))
                outcomes[kind] = .enforced
            } catch {
                outcomes[kind] = .notEnforced(reason: error.description)
            }
        }
        return outcomes
    }

    /// The files to write, and what to write into them.
    private static func settings(_ limits: ResourceLimits) -> [(kind: Limit, file: String, value: String)] {
        var settings: [(Limit, String, String)] = []
        if let memory = limits.memoryBytes { settings.append((.memory, "memory.max", "\(memory)")) }
        if let cpu = limits.cpuPercent { settings.append((.cpu, "cpu.max", "\(Self.quota(cpu)) \(Self.period)")) }
        if let tasks = limits.tasks { settings.append((.tasks, "pids.max", "\(tasks)")) }
        return settings
    }

    /// Microseconds, the kernel's own default.
    private static let period = 100_000

    private static func quota(_ percent: Double) -> Int {
        // The kernel takes no less than a millisecond; no machine has more than a million processors.
        Int((min(max(percent / 100, 0.01), 1_000_000) * Double(Self.period)).rounded())
    }
}
