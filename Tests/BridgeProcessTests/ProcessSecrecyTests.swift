import Glibc
import Testing

@testable import BridgeProcess

@Suite("Secrecy", .timeLimit(.minutes(1))) struct ProcessSecrecyTests {
    @Test func `a process that enables it leaves no core and still finds its way in /proc`() async {
        await #expect(processExitsWith: .success) {
            try ProcessSecrecy.enable()
            #expect(ProcessSecrecy.isEnabled)
            let use = try #require(MemoryUse.ofThisProcess())
            #expect(use.proportional > 0)
            #expect(ProcessTree.children(of: getpid()).isEmpty)
        }
    }

    @Test func `a child of such a process is as it would be anyway`() async {
        await #expect(processExitsWith: .success) {
            try ProcessSecrecy.enable()
            let processes = try TestProcesses.startAdopting()
            // Whoever may read a process's map of memory may trace it: its owner, when it is dumpable. Root could anyway.
            let child = try await processes.shell(
                "stat -c %u /proc/$$ && head -c 1 /proc/$$/environ > /dev/null && ulimit -c"
            ) { _ in }
            #expect(child.status == .exited(0))
            #expect(child.lines.first == "\(geteuid())")
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
            let blocks = limit.rlim_cur == rlim_t.max ? "unlimited" : "\(limit.rlim_cur / 512)"
            #expect(child.lines.last == blocks)
        }
    }
}
