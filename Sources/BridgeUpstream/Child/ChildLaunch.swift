import BridgeConfiguration
import BridgeCore
import BridgeProcess
import Glibc

/// What a child is started from: its configuration, made into a specification.
struct ChildLaunch {
    let launch: StdioLaunch
    let limits: ResourceLimits
    let cgroup: String?
    let originalNoFileLimit: UInt64?
    let maximumLineOctets: Int

    init(_ configuration: UpstreamConfiguration, _ launch: StdioLaunch) {
        self.launch = launch
        self.limits = configuration.limits
        self.cgroup = configuration.cgroup
        self.originalNoFileLimit = configuration.originalNoFileLimit
        self.maximumLineOctets = configuration.maximumLineBytes
    }

    var lines: ChildLineReader {
        ChildLineReader(maximumOctets: self.maximumLineOctets, errors: self.launch.encodingErrors)
    }

    var group: Cgroup? { self.cgroup.map(Cgroup.init(directory:)) }

    /// A message about the start, without what nobody may see.
    func shown(_ message: String) -> String { self.launch.shown(message) }

    /// - Parameter descriptors: the child's stdin, stdout and stderr.
    /// - Throws: ``ExecutableLookup/Failure`` or ``SystemCallError``.
    func specification(descriptors: [CInt]) throws -> SpawnSpecification {
        let environment = self.launch.environment.mapValues(\.value)
        let executable = try ExecutableLookup.find(
            self.launch.command, path: environment["PATH"], workingDirectory: self.launch.workingDirectory
        )
        var specification = SpawnSpecification(
            executable: executable, environment: environment, descriptors: descriptors
        )
        specification.arguments = [self.launch.command] + self.launch.arguments
        specification.workingDirectory = self.launch.workingDirectory
        if let soft = self.originalNoFileLimit {
            let hard = try DescriptorLimit.current().hard
            specification.descriptorLimit = DescriptorLimit(soft: min(soft, hard), hard: hard)
        }
        if let group { specification.cgroup = group }
        return specification
    }

    /// Makes the group, if there is to be one, and sets its limits.
    ///
    /// - Returns: what is asked for and does not hold, for people.
    /// - Throws: ``SystemCallError`` when there is to be a group and cannot be.
    func prepareGroup() throws -> [String] {
        guard let cgroup else {
            return self.limits.isEmpty ? [] : ["limits are not enforced: no control group was delegated"]
        }
        if let slash = cgroup.lastIndex(of: "/"), slash > cgroup.startIndex {
            _ = try Cgroup(directory: String(cgroup[..<slash])).makeChild(String(cgroup[cgroup.index(after: slash)...]))
        }
        return Cgroup(directory: cgroup).apply(self.limits).compactMap { kind, outcome in
            guard case .notEnforced(let reason) = outcome else { return nil }
            return "the limit of \(kind.rawValue) is not enforced: \(reason)"
        }.sorted()
    }
}
