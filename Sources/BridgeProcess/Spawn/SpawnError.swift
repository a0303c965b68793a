import BridgeFiles

/// A process could not be started. None is left behind.
package struct SpawnError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Stage: String, Hashable, Sendable {
        /// The specification itself: a NUL byte in a string, a bad name in the environment.
        case specification
        /// Too many spawns are waiting.
        case queue
        /// Before the fork: memory, a pipe, the cgroup's file.
        case prepare
        case fork
        case pidfd
        case processGroup = "process group"
        case deathSignal = "parent death signal"
        case cgroup
        case workingDirectory = "working directory"
        case descriptors
        case limits
        case exec
    }

    package let stage: Stage
    /// An `errno`.
    package let code: CInt
    package let executable: String
    /// Where it was to run.
    package var folder: String?

    package var description: String {
        let place = self.stage == .workingDirectory ? self.folder.map { " \($0)" } ?? "" : ""
        return "cannot start \(self.executable): \(self.stage.rawValue)\(place): \(SystemCallError.text(of: self.code))"
    }
}
