import BridgeFiles
import Glibc
import Testing

@testable import BridgeProcess

@Suite("Parent death", .timeLimit(.minutes(1))) struct ParentDeathTests {
    let processes: ProcessThread

    init() throws { self.processes = try TestProcesses.shared() }

    @Test func `a child dies with its parent`() async throws {
        let directory = try TemporaryDirectory()
        let fifo = try Self.makeFIFO(directory.path)
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            try await ParentDeathTests.orphanASleeper(path, deathSignal: SIGTERM)
        }
        let child = try #require(pid_t(await self.processes.readLine(fifo)))
        #expect(await self.processes.readToEnd(fifo) == "")
        close(fifo)
        let status = ProcessStatus(pid: child)
        #expect(status == nil || status?.isDead == true)
    }

    @Test func `a child without the signal outlives its parent`() async throws {
        let directory = try TemporaryDirectory()
        let fifo = try Self.makeFIFO(directory.path)
        let path = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            try await ParentDeathTests.orphanASleeper(path, deathSignal: nil)
        }
        let child = try #require(pid_t(await self.processes.readLine(fifo)))
        #expect(ProcessStatus(pid: child)?.isDead == false)
        kill(child, SIGKILL)
        #expect(await self.processes.readToEnd(fifo) == "")
        close(fifo)
    }

    /// Opened here before the other side, so that neither waits for the other.
    private static func makeFIFO(_ directory: String) throws -> CInt {
        let path = directory + "/fifo"
        guard mkfifo(path, 0o600) == 0 else { throw SystemCallError("mkfifo", path) }
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemCallError("open", path) }
        return descriptor
    }

    /// In a process of its own, which kills itself when its child runs.
    static func orphanASleeper(_ directory: String, deathSignal: CInt?) async throws {
        let fifo = open(directory + "/fifo", O_WRONLY | O_CLOEXEC)
        let processes = try ProcessThread.start(logger: .silent)
        var specification = SpawnSpecification.shell("echo $$ >&3; echo ready; exec sleep 1000")
        specification.parentDeathSignal = deathSignal
        _ = try await processes.start(specification, further: [fifo])
        kill(getpid(), SIGKILL)
    }
}
