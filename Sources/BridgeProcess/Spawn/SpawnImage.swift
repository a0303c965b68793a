import BridgeFiles
import CSpawn
import Glibc

/// A specification as C wants it: all memory that the child needs, allocated before the fork.
struct SpawnImage: ~Copyable {
    private let path: CStrings
    private let arguments: CStrings
    private let environment: CStrings
    private let directory: CStrings
    private let specification: SpawnSpecification

    private static let listenPIDName = "LISTEN_PID="

    init(_ specification: SpawnSpecification) throws(SpawnError) {
        var variables: [String] = []
        for (name, value) in specification.environment.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, !name.contains("=") else { throw Self.invalid(specification) }
            if name == "LISTEN_PID", specification.addsListenPID { continue }
            variables.append("\(name)=\(value)")
        }
        if specification.addsListenPID {
            // Last, so that it can be found again; the zeros hold the place of any pid.
            variables.append(Self.listenPIDName + String(repeating: "0", count: 12))
        }
        let directory = specification.workingDirectory.map { [$0] } ?? []
        for string in [specification.executable] + specification.arguments + variables + directory
        where string.utf8.contains(0) {
            throw Self.invalid(specification)
        }
        self.path = CStrings([specification.executable])
        self.arguments = CStrings(specification.arguments)
        self.environment = CStrings(variables)
        self.directory = CStrings(directory)
        self.specification = specification
    }

    /// To be called on the process thread only: the death signal is bound to the thread that forks.
    func fork() throws(SpawnError) -> cspawn_child {
        var group: CInt = -1
        if let cgroup = self.specification.cgroup {
            do {
                group = try cgroup.openProcesses()
            } catch {
                throw SpawnError(stage: .cgroup, code: error.code, executable: self.specification.executable)
            }
        }
        defer { if group >= 0 { close(group) } }

        var child = cspawn_child()
        let (stage, code) = self.withSpecification(cgroup: group) { (cspawn($0, &child), errno) }
        guard stage == CSPAWN_STAGE_NONE else {
            throw SpawnError(stage: .init(stage), code: code, executable: self.specification.executable)
        }
        return child
    }

    private func withSpecification<R>(cgroup: CInt, _ body: (UnsafePointer<cspawn_specification>) -> R) -> R {
        let given = self.specification
        var limits: [cspawn_limit] = []
        if let limit = given.descriptorLimit {
            limits.append(cspawn_limit(resource: CInt(RLIMIT_NOFILE.rawValue), soft: limit.soft, hard: limit.hard))
        }
        return given.descriptors.withUnsafeBufferPointer { descriptors in
            limits.withUnsafeBufferPointer { limits in
                var specification = cspawn_specification()
                specification.path = UnsafePointer(self.path.pointers[0])
                specification.argv = UnsafePointer(self.arguments.pointers)
                specification.envp = UnsafePointer(self.environment.pointers)
                if given.addsListenPID, let last = self.environment.pointers[self.environment.count - 1] {
                    specification.listen_pid = last + Self.listenPIDName.utf8.count
                }
                specification.descriptors = descriptors.baseAddress
                specification.descriptor_count = descriptors.count
                specification.closing = cspawn_closing(given.closing)
                specification.limits = limits.baseAddress
                specification.limit_count = limits.count
                specification.directory = UnsafePointer(self.directory.pointers[0])
                specification.cgroup_procs = cgroup
                specification.file_mode_mask = given.fileModeMask.map(CInt.init) ?? -1
                specification.death_signal = given.parentDeathSignal ?? 0
                return body(&specification)
            }
        }
    }

    private static func invalid(_ specification: SpawnSpecification) -> SpawnError {
        SpawnError(stage: .specification, code: EINVAL, executable: specification.executable)
    }
}

/// C strings and the NULL-terminated list of pointers to them.
private final class CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let count: Int

    init(_ strings: [String]) {
        self.count = strings.count
        self.pointers = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() {
            (self.pointers + index).initialize(to: strdup(string))
        }
        (self.pointers + strings.count).initialize(to: nil)
    }

    deinit {
        for index in 0..<self.count { free(self.pointers[index]) }
        self.pointers.deallocate()
    }
}

extension cspawn_closing {
    fileprivate init(_ closing: SpawnSpecification.Closing) {
        switch closing {
        case .best: self = CSPAWN_CLOSING_BEST
        case .listed: self = CSPAWN_CLOSING_LISTED
        case .counted: self = CSPAWN_CLOSING_COUNTED
        }
    }
}

extension SpawnError.Stage {
    init(_ stage: cspawn_stage) {
        switch stage {
        case CSPAWN_STAGE_FORK: self = .fork
        case CSPAWN_STAGE_PIDFD: self = .pidfd
        case CSPAWN_STAGE_PROCESS_GROUP: self = .processGroup
        case CSPAWN_STAGE_DEATH_SIGNAL: self = .deathSignal
        case CSPAWN_STAGE_CGROUP: self = .cgroup
        case CSPAWN_STAGE_DIRECTORY: self = .workingDirectory
        case CSPAWN_STAGE_DESCRIPTORS: self = .descriptors
        case CSPAWN_STAGE_LIMITS: self = .limits
        case CSPAWN_STAGE_EXEC: self = .exec
        default: self = .prepare
        }
    }
}
