import Glibc

/// What to start, and in which surroundings. Nothing is inherited that is not written here, except the user, the root
/// directory, the working directory (unless given) and the resource limits (unless given).
///
/// The child leads a process group of its own, with every signal unblocked and at its default.
package struct SpawnSpecification: Sendable {
    /// A path as execve(2) takes it: absolute, or relative to ``workingDirectory``. It is not searched for; see
    /// ``ExecutableLookup``.
    package var executable: String
    /// All of `argv`, the program's name as its first.
    package var arguments: [String]
    /// The whole environment.
    package var environment: [String: String]
    /// The n-th becomes the child's descriptor n; -1 stands for `/dev/null`, which also fills up to the first three.
    ///
    /// They stay the caller's, who keeps them open until the spawn is over and closes them afterwards, whatever came
    /// of it.
    package var descriptors: [CInt]
    /// Adds `LISTEN_PID` with the child's own pid, for which sockets passed to it want to be claimed.
    package var addsListenPID = false
    /// `nil` keeps this process's.
    package var workingDirectory: String?
    /// Limits on open files; `nil` keeps this process's. See ``DescriptorLimit/raise()``.
    package var descriptorLimit: DescriptorLimit?
    /// The group the child starts in, before it executes anything.
    package var cgroup: Cgroup?
    /// The permissions the child's new files lack; `nil` keeps this process's.
    package var fileModeMask: UInt32?
    /// What the child receives when this process dies; `nil` is nothing. A child that is set-uid does not get it.
    package var parentDeathSignal: CInt? = SIGTERM

    /// How other descriptors are closed: for tests of old kernels' ways.
    var closing = Closing.best

    enum Closing: Sendable, CaseIterable {
        case best, listed, counted
    }

    /// - Parameter arguments: without the program's name, for which the executable stands.
    package init(
        executable: String,
        arguments: [String] = [],
        environment: [String: String] = [:],
        descriptors: [CInt] = []
    ) {
        self.executable = executable
        self.arguments = [executable] + arguments
        self.environment = environment
        self.descriptors = descriptors
    }
}
