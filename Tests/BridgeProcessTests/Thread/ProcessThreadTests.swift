import Glibc
import Synchronization
import Testing

@testable import BridgeProcess

@Suite("Process thread", .timeLimit(.minutes(1))) struct ProcessThreadTests {
    let processes: ProcessThread

    init() throws { self.processes = try TestProcesses.shared() }

    @Test func `a hundred spawns at once all come from the one thread, which lives on`() async throws {
        let processes = self.processes
        let ids = try await withThrowingTaskGroup(of: ProcessID.self) { group in
            for _ in 0..<100 { group.addTask { try await processes.spawn(.sleeping) { _ in } } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(ids.map(\.pid)).count == 100)
        // The kernel keeps the list of children by thread, and the thread has a name.
        let threads = try SystemFile.names(in: "/proc/self/task").filter { thread in
            (try? SystemFile.read("/proc/self/task/\(thread)/comm")) == "spawn\n"
        }
        let thread = try #require(threads.first)
        #expect(threads.count == 1 && pid_t(thread) != getpid())
        let forked = try SystemFile.read("/proc/self/task/\(thread)/children")
        let pids = Set(forked.split(separator: " ").compactMap { pid_t($0) })
        #expect(pids.isSuperset(of: ids.map(\.pid)))

        await processes.end(ids)
    }

    @Test func `many short children are each told once, with their own status`() async throws {
        let processes = self.processes
        let statuses = try await withThrowingTaskGroup(of: (CInt, Finished).self) { group in
            for code in 0..<100 as Range<CInt> {
                group.addTask { (code, try await processes.shell("echo \(code); exit \(code)")) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (code, finished) in statuses {
            #expect(finished.status == .exited(code))
            #expect(finished.output == "\(code)\n")
            #expect(ProcessStatus(pid: finished.id.pid)?.parent != getpid())
        }
        #expect(statuses.count == 100)
    }

    @Test func `start is told before exit, and each once`() async throws {
        let (events, continuation) = AsyncStream.makeStream(of: String.self)
        for _ in 0..<20 {
            self.processes.spawn(
                SpawnSpecification(executable: "/bin/true"),
                onStart: { result in
                    guard case .success(let id) = result else { return }
                    continuation.yield("start \(id)")
                },
                onExit: { continuation.yield("\($0)") }
            )
        }
        var seen: [String] = []
        for await event in events {
            seen.append(event)
            if seen.count == 40 { break }
        }
        #expect(seen.filter { $0.hasPrefix("start") }.count == 20)
        #expect(seen.filter { $0 == "exited with code 0" }.count == 20)
        // No prefix has more exits than starts.
        var balance = 0
        for event in seen {
            balance += event.hasPrefix("start") ? 1 : -1
            #expect(balance >= 0)
        }
    }

    @Test func `a signal reaches the child, and nobody after it`() async throws {
        let (exits, continuation) = AsyncStream.makeStream(of: Exit.self)
        let id = try await self.processes.spawn(.sleeping) { continuation.yield($0) }
        #expect(self.processes.children().contains(id))
        #expect(self.processes.signal(id, SIGUSR1))
        #expect(try await exits.first() == .signaled(SIGUSR1, coreDumped: false))
        #expect(!self.processes.signal(id, SIGUSR1))
        #expect(!self.processes.children().contains(id))
        #expect(!self.processes.signal(ProcessID(pid: getpid(), serial: id.serial), SIGKILL))
    }

    @Test func `a process of the same number is another`() async throws {
        let (exits, continuation) = AsyncStream.makeStream(of: Exit.self)
        let id = try await self.processes.spawn(.sleeping) { continuation.yield($0) }
        let earlier = ProcessID(pid: id.pid, serial: 0)
        #expect(!self.processes.signal(earlier, SIGKILL))
        self.processes.signal(id, SIGTERM)
        #expect(try await exits.first() == .signaled(SIGTERM, coreDumped: false))
    }

    @Test func `a watched descriptor calls back until it is unwatched`() async throws {
        let pipe = try Pipe.make()
        defer {
            close(pipe.reading)
            close(pipe.writing)
        }
        let (calls, continuation) = AsyncStream.makeStream(of: Int.self)
        self.processes.watch(descriptor: pipe.reading) {
            var bytes = [UInt8](repeating: 0, count: 16)
            continuation.yield(read(pipe.reading, &bytes, 16))
        }
        _ = write(pipe.writing, "ab", 2)
        #expect(try await calls.first() == 2)
        _ = write(pipe.writing, "c", 1)
        #expect(try await calls.first() == 1)
        self.processes.unwatch(descriptor: pipe.reading)
        _ = write(pipe.writing, "d", 1)
        // The thread has been round with the byte in the pipe when this comes back.
        _ = try await self.processes.shell("true")
        var pending = pollfd(fd: pipe.reading, events: Int16(POLLIN), revents: 0)
        #expect(poll(&pending, 1, 0) == 1)
    }

    @Test func `signals come as a stream`() async throws {
        // The thread has them blocked itself; here they are sent to it alone.
        let signals = try self.processes.signals([SIGUSR1, SIGHUP])
        self.processes.enqueue { _ in raise(SIGHUP) }
        #expect(try await signals.first() == SIGHUP)
    }

    @Test func `a spawn is refused when too many wait, and possible again afterwards`() async {
        await #expect(processExitsWith: .success) {
            let processes = try ProcessThread.start(logger: .silent)
            let gate = try Pipe.make()
            let (closed, atGate) = AsyncStream.makeStream(of: Void.self)
            processes.enqueue { _ in
                atGate.yield()
                var byte: UInt8 = 0
                _ = read(gate.reading, &byte, 1)
            }
            // What the thread takes with the gate makes room behind it.
            try await closed.first()
            while processes.enqueueBounded({ _ in }) {}
            let error = await #expect(throws: SpawnError.self) { try await processes.spawn(.sleeping) { _ in } }
            #expect(error?.stage == .queue)
            _ = write(gate.writing, "x", 1)
            let (empty, continuation) = AsyncStream.makeStream(of: Void.self)
            processes.enqueue { _ in continuation.yield() }
            try await empty.first()
            #expect(try await processes.shell("exit 3").status == .exited(3))
        }
    }
}
