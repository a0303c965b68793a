import BridgeFiles
import Glibc
import Logging
import Testing

@testable import BridgeProcess

@Suite("Orphans", .timeLimit(.minutes(1))) struct OrphanTests {
    @Test func `an orphan is adopted and reaped`() async {
        await #expect(processExitsWith: .success) {
            let log = EventLog()
            let processes = try TestProcesses.startAdopting(logger: Logger(label: "test") { _ in log })
            let child = try await processes.shell("sleep 1000 >/dev/null & echo $!")
            let orphan = try #require(pid_t(child.lines[0]))
            #expect(ProcessStatus(pid: orphan)?.parent == getpid())
            kill(orphan, SIGKILL)
            #expect(try await log.records.first() == "Reaped an orphan \(orphan)")
            #expect(ProcessStatus(pid: orphan) == nil)
        }
    }

    @Test func `without adoption a foreign child is left to whoever started it`() async {
        await #expect(processExitsWith: .success) {
            // As a library would: not through the thread.
            let processes = try ProcessThread.start(logger: .silent, orphanGrace: .zero)
            let foreign = try await Self.startForeign()
            _ = try await processes.shell("true")
            #expect(ProcessStatus(pid: foreign)?.isDead == true)
            #expect(waitpid(foreign, nil, 0) == foreign)
        }
    }

    /// A child that has ended and has not been waited for.
    private static func startForeign() async throws -> pid_t {
        let pipe = try Pipe.make()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, pipe.writing, 1)
        var pid: pid_t = 0
        let name = strdup("true")
        defer { free(name) }
        var arguments: [UnsafeMutablePointer<CChar>?] = [name, nil]
        let code = posix_spawn(&pid, "/bin/true", &actions, nil, &arguments, nil)
        posix_spawn_file_actions_destroy(&actions)
        close(pipe.writing)
        guard code == 0 else { throw SystemCallError("posix_spawn", code: code) }
        var byte: UInt8 = 0
        _ = read(pipe.reading, &byte, 1)
        close(pipe.reading)
        // The pipe ends a moment before the process does.
        var info = siginfo_t()
        waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT)
        return pid
    }
}
