import BridgeCore
import BridgeFiles
import Glibc
import Testing

@testable import BridgeProcess

@Suite("Cgroup", .timeLimit(.minutes(1))) struct CgroupTests {
    /// A group that tests can make others in, or why there is none.
    static let base: Result<Cgroup, Unavailable> = {
        let location = (try? SystemFile.read("/proc/self/cgroup")).flatMap { cgroup in
            (try? SystemFile.read("/proc/self/mountinfo")).flatMap {
                CgroupLocation.parse(cgroup: cgroup, mountInfo: $0)
            }
        }
        guard let directory = location?.directory else { return .failure(.init(reason: "no unified hierarchy")) }
        let group = Cgroup(directory: directory)
        do throws(SystemCallError) {
            let probe = try group.makeChild("bridge-process-probe-\(getpid())")
            close(try probe.openProcesses())
            try probe.remove()
            return .success(group)
        } catch {
            print("cgroup tests are skipped: \(error)")
            return .failure(.init(reason: "\(error)"))
        }
    }()

    struct Unavailable: Error, CustomStringConvertible {
        let reason: String
        var description: String { "no cgroup to test in: \(self.reason)" }
    }

    /// The kernel tells whoever polls the file `cgroup.events` when it has changed.
    private static func waitUntilEmpty(_ group: Cgroup) throws {
        let path = group.directory + "/cgroup.events"
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var changed = pollfd(fd: descriptor, events: Int16(POLLPRI), revents: 0)
        while true {
            // What has been read through the descriptor is what it tells changes of.
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = pread(descriptor, &bytes, bytes.count, 0)
            if String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).contains("populated 0") { return }
            try #require(poll(&changed, 1, 30_000) == 1, "its processes are still there")
        }
    }

    static var isAvailable: Bool { (try? Self.base.get()) != nil }

    @Test(.enabled("no cgroup to test in; the reason is printed") { CgroupTests.isAvailable })
    func `a child is born in its group, and the group ends with all that is in it`() async throws {
        let processes = try TestProcesses.shared()
        let group = try Self.base.get().makeChild("bridge-process-test-\(getpid())")
        let inner = try group.makeChild("inner")

        var specification = SpawnSpecification.shell(
            "setsid -f sh -c 'trap \"\" TERM; echo ready; sleep 1000'; sleep 1000")
        specification.cgroup = inner
        let child = try await processes.start(specification)
        #expect(child.line == "ready")
        #expect(try inner.processes().contains(child.id.pid))
        #expect(throws: SystemCallError.self) { try group.remove() }

        try group.kill()
        #expect(await processes.readToEnd(child.output) == "")
        close(child.output)
        #expect(try await child.exits.first() == .signaled(SIGKILL, coreDumped: false))
        // The last of them is dying still.
        try Self.waitUntilEmpty(group)
        try group.remove()
        #expect(access(group.directory, F_OK) != 0)
    }

    @Test(.enabled("no cgroup to test in; the reason is printed") { CgroupTests.isAvailable })
    func `each limit is enforced, or it is told why not`() throws {
        let base = try Self.base.get()
        let group = try base.makeChild("bridge-process-limits-\(getpid())")
        defer { try? group.remove() }
        let controllers = try SystemFile.read(group.directory + "/cgroup.controllers")
        let outcomes = group.apply(ResourceLimits(memoryBytes: 64 << 20, cpuPercent: 50, tasks: 10))
        #expect(outcomes.count == 3)
        for (kind, outcome) in outcomes {
            switch outcome {
            case .enforced: #expect(controllers.contains(kind.controller))
            case .notEnforced(let reason): #expect(!controllers.contains(kind.controller), "\(reason)")
            }
        }
    }

    @Test func `limits that are set where no controller is are not enforced`() throws {
        let directory = try TemporaryDirectory()
        _ = try directory.file("cgroup.controllers", "cpu pids\n")
        let (quota, tasks) = (try directory.file("cpu.max"), try directory.file("pids.max"))
        let outcomes = Cgroup(directory: directory.path).apply(
            ResourceLimits(memoryBytes: 1, cpuPercent: 150, tasks: 7))
        #expect(outcomes[.cpu] == .enforced)
        #expect(outcomes[.tasks] == .enforced)
        #expect(
            outcomes[.memory] == .notEnforced(reason: "the memory controller is not available in \(directory.path)")
        )
        #expect(try SystemFile.read(quota) == "150000 100000")
        #expect(try SystemFile.read(tasks) == "7")
    }

    @Test func `a limit that is not asked for is not told of`() throws {
        #expect(Cgroup(directory: "/nonexistent").apply(ResourceLimits()).isEmpty)
        #expect(ResourceLimits().isEmpty)
        #expect(!ResourceLimits(tasks: 1).isEmpty)
    }

    @Test func `delegation needs writable files, and for root the manager's mark`() throws {
        let directory = try TemporaryDirectory()
        let group = Cgroup(directory: directory.path)
        guard case .notDelegated = Cgroup.delegation(of: group, user: 1000) else {
            Issue.record("delegated without its files")
            return
        }
        for file in ["cgroup.procs", "cgroup.subtree_control"] { _ = try directory.file(file) }
        #expect(Cgroup.delegation(of: group, user: 1000) == .delegated(group))
        #expect(
            Cgroup.delegation(of: group, user: 0)
                == .notDelegated(reason: "\(directory.path) is not marked as delegated")
        )
        // Inside the leaf, what is above is ours.
        let leaf = try group.makeChild(Cgroup.supervisorLeaf)
        #expect(Cgroup.delegation(of: leaf, user: 1000) == .delegated(group))
    }
}
