import Glibc
import Testing

@testable import BridgeProcess

@Suite("Spawning", .timeLimit(.minutes(1))) struct SpawnTests {
    let processes: ProcessThread

    init() throws { self.processes = try TestProcesses.shared() }

    @Test func `the environment is what was given and nothing else`() async throws {
        let specification = SpawnSpecification(
            executable: "/usr/bin/env",
            environment: ["B": "two words", "A": "1", "EMPTY": ""]
        )
        let child = try await self.processes.run(specification)
        #expect(child.lines == ["A=1", "B=two words", "EMPTY="])
        #expect(child.status == .exited(0))
    }

    @Test func `LISTEN_PID is the child's own pid and replaces one that was given`() async throws {
        let child = try await self.processes.shell("echo $LISTEN_PID $$; env | grep -c LISTEN_PID") {
            $0.environment["LISTEN_PID"] = "1"
            $0.addsListenPID = true
        }
        #expect(child.lines == ["\(child.id.pid) \(child.id.pid)", "1"])
    }

    @Test func `no signal is blocked or ignored, whatever this process does`() async throws {
        ProcessThread.blockSignals([SIGUSR2])
        let child = try await self.processes.run(
            SpawnSpecification(executable: "/bin/cat", arguments: ["/proc/self/status"])
        )
        let masks = child.lines.filter { $0.hasPrefix("SigBlk") || $0.hasPrefix("SigIgn") || $0.hasPrefix("SigCgt") }
        #expect(masks == ["SigBlk", "SigIgn", "SigCgt"].map { "\($0):\t0000000000000000" })
    }

    @Test func `the child leads a process group of its own`() async throws {
        let child = try await self.processes.run(
            SpawnSpecification(executable: "/bin/cat", arguments: ["/proc/self/stat"]))
        let fields = child.output.split(separator: " ")
        #expect(fields[0] == "\(child.id.pid)")
        #expect(fields[4] == "\(child.id.pid)")
    }

    @Test func `working directory, file mode mask and descriptor limit are set`() async throws {
        let child = try await self.processes.shell("pwd; umask; ulimit -Sn; ulimit -Hn") {
            $0.workingDirectory = "/usr/bin"
            $0.fileModeMask = 0o027
            $0.descriptorLimit = DescriptorLimit(soft: 100, hard: 200)
        }
        #expect(child.lines == ["/usr/bin", "0027", "100", "200"])
    }

    @Test func `a relative executable starts from the working directory`() async throws {
        var specification = SpawnSpecification(executable: "./echo", arguments: ["hello"])
        specification.workingDirectory = "/bin"
        #expect(try await self.processes.run(specification).output == "hello\n")
    }

    @Test(arguments: [0, 7, 255] as [CInt])
    func `an exit code is told`(code: CInt) async throws {
        #expect(try await self.processes.shell("exit \(code)").status == .exited(code))
    }

    @Test(arguments: [SIGKILL, SIGTERM, SIGPIPE])
    func `a deadly signal is told`(signal: CInt) async throws {
        #expect(try await self.processes.shell("kill -\(signal) $$").status == .signaled(signal, coreDumped: false))
    }

    // MARK: Failures

    @Test func `a program that is not there fails at exec`() async throws {
        await self.expectFailure(.exec, ENOENT, SpawnSpecification(executable: "/nonexistent/program"))
    }

    @Test func `a file that may not be executed fails at exec`() async throws {
        await self.expectFailure(.exec, EACCES, SpawnSpecification(executable: "/etc/passwd"))
    }

    @Test func `a working directory that is not there is told as such`() async throws {
        var specification = SpawnSpecification.shell("true")
        specification.workingDirectory = "/nonexistent"
        await self.expectFailure(.workingDirectory, ENOENT, specification)
        let error = await #expect(throws: SpawnError.self) { try await self.processes.run(specification) }
        #expect(
            error?.description
                == "cannot start \(specification.executable): working directory /nonexistent: No such file or directory"
        )
    }

    @Test func `a descriptor that is not open is told as such`() async throws {
        var specification = SpawnSpecification.shell("true")
        specification.descriptors = [-1, -1, -1, 1_000_000]
        await self.expectFailure(.descriptors, EBADF, specification)
    }

    @Test func `limits that the kernel refuses are told as such`() async throws {
        var specification = SpawnSpecification.shell("true")
        specification.descriptorLimit = DescriptorLimit(soft: 2, hard: 1)
        await self.expectFailure(.limits, EINVAL, specification)
    }

    @Test func `a cgroup that is not there is told as such`() async throws {
        var specification = SpawnSpecification.shell("true")
        specification.cgroup = Cgroup(directory: "/nonexistent")
        await self.expectFailure(.cgroup, ENOENT, specification)
    }

    @Test func `a NUL byte or a bad variable name is refused before the fork`() async throws {
        await self.expectFailure(.specification, EINVAL, .shell("true\0false"))
        for name in ["", "A=B"] {
            var specification = SpawnSpecification.shell("true")
            specification.environment = [name: "x"]
            await self.expectFailure(.specification, EINVAL, specification)
        }
    }

    private func expectFailure(
        _ stage: SpawnError.Stage,
        _ code: CInt,
        _ specification: SpawnSpecification,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let error = await #expect(throws: SpawnError.self, sourceLocation: sourceLocation) {
            _ = try await self.processes.spawn(specification) { status in
                Issue.record("onExit after a failure: \(status)", sourceLocation: sourceLocation)
            }
        }
        #expect(error?.stage == stage, sourceLocation: sourceLocation)
        #expect(error?.code == code, sourceLocation: sourceLocation)
    }
}
