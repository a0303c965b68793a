import Dispatch
import Glibc
import Testing

@testable import BridgeProcess

/// Whatever ends whole trees of this process runs in a process of its own, away from the other tests' children.
@Suite("Process tree", .timeLimit(.minutes(1))) struct ProcessTreeTests {
    /// A shell that leaves a grandchild behind in a session of its own, which prints its pid and does not mind SIGTERM.
    static let stubborn = """
        setsid -f sh -c 'trap "" TERM; sleep 1000 & echo $$; wait; sleep 1000'
        exec sleep 1000
        """

    @Test func `a double-forked grandchild in its own session is found and ended`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let child = try await processes.start(.shell(ProcessTreeTests.stubborn))
            let grandchild = try #require(pid_t(child.line))
            let found = Set(ProcessTree.descendants(of: getpid()).map(\.pid))
            #expect(found.isSuperset(of: [child.id.pid, grandchild]))
            #expect(getsid(grandchild) == grandchild)
            let outcome = await processes.end(.everything, steps: .termThenKill(term: .seconds(1)))
            #expect(outcome == .ended(by: SIGKILL))
            #expect(await processes.readToEnd(child.output) == "")
            #expect(try await child.exits.first() == .signaled(SIGTERM, coreDumped: false))
            #expect(ProcessTree.descendants(of: getpid()).isEmpty)
        }
    }

    @Test func `strays are ended and living children are spared`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let spared = try await processes.start(.shell("sleep 1000 & echo ready; wait"))
            let named = try await processes.shell("sleep 1000 >/dev/null & echo $!")
            let stray = try await processes.shell("sleep 1000 >/dev/null & echo $!")
            let kept = try #require(pid_t(named.lines[0]))
            #expect(await processes.end(.strays(except: [kept])) == .ended(by: SIGTERM))
            let left = Set(ProcessTree.descendants(of: getpid()).map(\.pid))
            #expect(left.contains(spared.id.pid) && left.contains(kept) && left.count == 3)
            #expect(!left.contains(try #require(pid_t(stray.lines[0]))))
            #expect(await processes.end(.everything) == .ended(by: SIGTERM))
        }
    }

    @Test func `of one child its own is ended, and nothing of another's; the last takes what is left`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let one = try await processes.start(.shell("sleep 1000 & (sleep 1000 & echo $!); exec sleep 1000"))
            let other = try await processes.start(
                .shell("d=$(setsid sleep 1000 >/dev/null & echo $!); echo $d; exec sleep 1000"))
            let (left, daemon) = (try #require(pid_t(one.line)), try #require(pid_t(other.line)))
            #expect(await processes.end(.child(one.id.pid)) == .ended(by: SIGTERM))
            var living = Set(ProcessTree.descendants(of: getpid()).map(\.pid))
            #expect(living == [other.id.pid, daemon] && !living.contains(left))
            #expect(await processes.end(.child(other.id.pid)) == .ended(by: SIGTERM))
            living = Set(ProcessTree.descendants(of: getpid()).map(\.pid))
            #expect(living.isEmpty)
        }
    }

    @Test func `what a child is seen to have beside others is its own to the end, wherever it goes`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let other = try await processes.start(.shell("echo ready; exec sleep 1000"))
            // A process in a session of its own, which does not mind SIGTERM; its parent does.
            let script = """
                setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 1000; done' &
                wait
                """
            let child = try await processes.start(.shell(script))
            let stubborn = try #require(pid_t(child.line))
            let steps = [TreeTeardown.Step].termThenKill(term: .milliseconds(50))
            #expect(await processes.end(.child(child.id.pid), steps: steps) == .ended(by: SIGKILL))
            #expect(ProcessStatus(pid: stubborn)?.isDead ?? true)
            #expect(ProcessStatus(pid: other.id.pid)?.isDead == false)
            #expect(await processes.end(.everything) == .ended(by: SIGTERM))
        }
    }

    @Test func `what a child's own starts while it is ended is ended with it, whoever its parent was`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let other = try await processes.start(.shell("echo ready; exec sleep 1000"))
            // Always in the middle of starting another one, in a session of its own.
            let script = #"setsid sh -c 'trap "" TERM; echo ready; while :; do sleep 1000 & sleep 0.001; done' & wait"#
            for _ in 0..<5 {
                let child = try await processes.start(.shell(script))
                let steps = [TreeTeardown.Step].termThenKill(term: .milliseconds(20), kill: .seconds(30))
                #expect(await processes.end(.child(child.id.pid), steps: steps) == .ended(by: SIGKILL))
                #expect(ProcessTree.descendants(of: getpid()).map(\.pid) == [other.id.pid])
            }
            #expect(await processes.end(.everything) == .ended(by: SIGTERM))
        }
    }

    @Test func `a short command that runs is no stray`() async {
        await #expect(processExitsWith: .success) {
            let commands = ShortCommands()
            let processes = try TestProcesses.startAdopting(sparing: commands)
            let stray = try await processes.shell("sleep 1000 >/dev/null & echo $!")
            let gate = "/tmp/mcpb-command-\(getpid())"
            try #require(mkfifo(gate, 0o600) == 0)
            defer { unlink(gate) }
            let (answers, continuation) = AsyncStream.makeStream(of: [UInt8]?.self)
            DispatchQueue.global().async {
                let script = "read word < \(gate); printf %s $word"
                continuation.yield(
                    try? ShortCommand.output(
                        of: "/bin/sh", ["-c", script], environment: SpawnSpecification.path, within: .seconds(30),
                        among: commands))
            }
            // Opened once the command reads.
            let writing = open(gate, O_WRONLY | O_CLOEXEC)
            try #require(writing >= 0)
            #expect(await processes.end(.strays(except: [])) == .ended(by: SIGTERM))
            let left = ProcessTree.descendants(of: getpid()).map(\.pid)
            #expect(!left.contains(try #require(pid_t(stray.lines[0]))))
            #expect(write(writing, "spared\n", 7) == 7)
            close(writing)
            #expect(try await answers.first() == Array("spared".utf8))
        }
    }

    @Test func `a stopped process is ended by SIGTERM`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let child = try await processes.start(.shell("echo ready; kill -STOP $$; exec sleep 1000"))
            #expect(child.line == "ready")
            #expect(
                await processes.end(.everything, steps: .termThenKill(term: .seconds(30))) == .ended(by: SIGTERM)
            )
        }
    }

    @Test func `those who leave by themselves get no signal`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let input = try Pipe.make()
            var specification = SpawnSpecification(executable: "/bin/cat")
            specification.descriptors = [input.reading]
            let (exits, continuation) = AsyncStream.makeStream(of: Exit.self)
            _ = try await processes.spawn(specification) { continuation.yield($0) }
            close(input.reading)
            close(input.writing)
            #expect(await processes.end(.everything, steps: .termThenKill(grace: .seconds(30))) == .ended(by: nil))
            #expect(try await exits.first() == .exited(0))
        }
    }

    @Test func `processes that multiply while they are ended are all ended`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let child = try await processes.start(
                .shell(
                    "for i in $(seq 150); do (setsid sleep 1000 &); [ $i = 20 ] && echo ready; done; wait"
                )
            )
            #expect(child.line == "ready")
            #expect(await processes.end(.everything) == .ended(by: SIGTERM))
            #expect(await processes.readToEnd(child.output) == "")
            #expect(ProcessTree.descendants(of: getpid()).isEmpty)
        }
    }

    @Test func `what does not die in time is told`() async {
        await #expect(processExitsWith: .success) {
            let processes = try TestProcesses.startAdopting()
            let child = try await processes.start(.shell("trap '' TERM; echo ready; while :; do sleep 1000; done"))
            let outcome = await processes.end(.everything, steps: [.init(SIGTERM, patience: .milliseconds(20))])
            guard case .survivors(let survivors) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(survivors.contains { $0.pid == child.id.pid })
            #expect(await processes.end(.everything, steps: .termThenKill(term: .zero)) == .ended(by: SIGKILL))
        }
    }

    @Test func `a later process with the same number is not signalled`() async throws {
        let processes = try TestProcesses.shared()
        let (exits, continuation) = AsyncStream.makeStream(of: Exit.self)
        let id = try await processes.spawn(.sleeping) { continuation.yield($0) }
        let identity = try #require(ProcessStatus(pid: id.pid)?.identity)
        #expect(!ProcessTree.send(SIGKILL, to: ProcessIdentity(pid: id.pid, startTime: identity.startTime + 1)))
        #expect(ProcessTree.send(SIGTERM, to: identity))
        #expect(try await exits.first() == .signaled(SIGTERM, coreDumped: false))
    }

    @Test func `children are found without the kernel's lists too`() async throws {
        let processes = try TestProcesses.shared()
        let child = try await processes.start(.shell("sleep 1000 & sleep 1000 & echo ready; wait"))
        let listed = ProcessTree.children(of: child.id.pid)
        #expect(listed.count == 2)
        #expect(Set(ProcessTree.childrenByScan(of: child.id.pid)) == Set(listed))
        #expect(ProcessTree.descendants(of: child.id.pid, except: [listed[0]]).map(\.pid) == [listed[1]])
        for pid in listed { kill(pid, SIGTERM) }
        await processes.end([child.id])
        close(child.output)
    }
}
