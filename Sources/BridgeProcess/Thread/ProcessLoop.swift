import CSpawn
import Glibc
import Logging
import Synchronization

/// What only the process thread touches, and what it does.
final class ProcessLoop {
    /// Forked, and not known to have become the program yet.
    private struct Starting {
        let id: ProcessID
        let report: CInt
        let executable: String
        let folder: String?
        let onStart: @Sendable (Result<ProcessID, SpawnError>) -> Void
        let onExit: @Sendable (ExitStatus) -> Void
    }

    private enum Source {
        case wake
        case childEvents
        case starting(ProcessID)
        case running(ProcessID)
        case watch(CInt, serial: UInt64)
    }

    let thread: ProcessThread
    var timers = ProcessTimers()
    private var starting: [ProcessID: Starting] = [:]
    private var running: [ProcessID: @Sendable (ExitStatus) -> Void] = [:]
    private var orphans = OrphanLedger()

    init(thread: ProcessThread) {
        self.thread = thread
    }

    func run() -> Never {
        while true {
            let jobs = self.thread.state.withLock { state in
                defer { state.jobs.removeAll() }
                return state.jobs
            }
            for job in jobs { job(self) }
            for action in self.timers.due(at: .now) { action() }
            self.waitForEvents()
        }
    }

    // MARK: Events

    private func waitForEvents() {
        var (descriptors, sources) = self.interests()
        guard poll(&descriptors, nfds_t(descriptors.count), self.timers.timeout(from: .now)) >= 0 else {
            // Short of memory, or interrupted by SIGCHLD, which the next round sees. The pause keeps the former calm.
            if errno != EINTR { poll(nil, 0, 10) }
            return
        }
        for (descriptor, source) in zip(descriptors, sources) where descriptor.revents != 0 {
            self.handle(source, events: descriptor.revents)
        }
    }

    private func interests() -> ([pollfd], [Source]) {
        var descriptors: [pollfd] = []
        var sources: [Source] = []
        func add(_ descriptor: CInt, _ source: Source) {
            descriptors.append(pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0))
            sources.append(source)
        }
        add(self.thread.wakeDescriptor, .wake)
        add(self.thread.childEvents, .childEvents)
        for child in self.starting.values { add(child.report, .starting(child.id)) }
        self.thread.state.withLock { state in
            for child in state.children.values where self.running[child.id] != nil {
                add(child.descriptor, .running(child.id))
            }
            for (descriptor, watch) in state.watches { add(descriptor, .watch(descriptor, serial: watch.serial)) }
        }
        return (descriptors, sources)
    }

    private func handle(_ source: Source, events: Int16) {
        switch source {
        case .wake:
            Self.drain(self.thread.wakeDescriptor)
        case .childEvents:
            Self.drain(self.thread.childEvents)
            self.reapOrphans()
        case .starting(let id):
            self.settle(id)
        case .running(let id):
            self.reap(id)
        case .watch(let descriptor, let serial):
            let watch = self.thread.state.withLock { state -> ProcessThread.Watch? in
                guard let watch = state.watches[descriptor], watch.serial == serial else { return nil }
                if events & Int16(POLLNVAL) != 0 { state.watches[descriptor] = nil }
                return watch
            }
            guard let watch else { return }
            if events & Int16(POLLNVAL) != 0 {
                self.thread.logger.error(
                    "Watched descriptor was closed before it was unwatched",
                    metadata: ["descriptor": "\(descriptor)"]
                )
            } else {
                watch.onReadable()
            }
        }
    }

    private static func drain(_ eventDescriptor: CInt) {
        var count: UInt64 = 0
        _ = read(eventDescriptor, &count, 8)
    }

    // MARK: Children

    func spawn(
        _ specification: SpawnSpecification,
        onStart: @escaping @Sendable (Result<ProcessID, SpawnError>) -> Void,
        onExit: @escaping @Sendable (ExitStatus) -> Void
    ) {
        do throws(SpawnError) {
            let child = try SpawnImage(specification).fork()
            let id = self.thread.state.withLock { state in
                let id = ProcessID(pid: child.pid, serial: state.nextSerial())
                state.children[child.pid] = .init(id: id, descriptor: child.pidfd)
                return id
            }
            self.starting[id] = Starting(
                id: id,
                report: child.report,
                executable: specification.executable,
                folder: specification.workingDirectory,
                onStart: onStart,
                onExit: onExit
            )
        } catch {
            onStart(.failure(error))
        }
    }

    /// The report has ended or has something to say: the child is the program now, or will never be.
    private func settle(_ id: ProcessID) {
        guard let child = self.starting.removeValue(forKey: id) else { return }
        var failure = cspawn_failure()
        var count: Int
        repeat {
            count = read(child.report, &failure, MemoryLayout<cspawn_failure>.size)
        } while count < 0 && errno == EINTR
        close(child.report)
        guard count == MemoryLayout<cspawn_failure>.size else {
            self.running[id] = child.onExit
            child.onStart(.success(id))
            return
        }
        // It is on its last instruction; nobody was told of it.
        _ = self.collect(id)
        child.onStart(
            .failure(
                SpawnError(
                    stage: .init(cspawn_stage(UInt32(failure.stage))),
                    code: failure.error,
                    executable: child.executable,
                    folder: child.folder
                )
            )
        )
    }

    private func reap(_ id: ProcessID) {
        guard let onExit = self.running.removeValue(forKey: id) else { return }
        guard let status = self.collect(id) else {
            // Somebody else in this process waits for children that are not its own. The exit is as true.
            self.thread.logger.error("Child was reaped by somebody else", metadata: ["process.id": "\(id)"])
            onExit(.exited(-1))
            return
        }
        onExit(status)
    }

    /// Takes a child that is ending out of the table, and then its number out of use.
    private func collect(_ id: ProcessID) -> ExitStatus? {
        let child = self.thread.state.withLock { $0.children.removeValue(forKey: id.pid) }
        if let child { close(child.descriptor) }
        var exit = cspawn_exit()
        return cspawn_reap(id.pid, 1, &exit) == 1 ? ExitStatus(exit) : nil
    }

    // MARK: Orphans

    /// Reaps the dead that fell to this process, each after its grace.
    private func reapOrphans() {
        guard Subreaper.isEnabled else { return }
        let ours = Set(self.thread.children().map(\.pid))
        let dead = ProcessTree.children(of: getpid()).filter { !ours.contains($0) }
            .compactMap { ProcessStatus(pid: $0) }.filter(\.isDead).map(\.identity)
        let due = self.orphans.looked(dead: Set(dead), at: .now, grace: self.thread.orphanGrace)
        for orphan in due.reap where cspawn_reap(orphan.pid, 0, nil) == 1 {
            self.thread.logger.debug("Reaped an orphan", metadata: ["process.id": "\(orphan.pid)"])
        }
        if let next = due.lookAgain {
            self.timers.schedule(at: next) { self.reapOrphans() }
        }
    }
}
