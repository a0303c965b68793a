import Glibc

/// Carries out one ``TreeTeardown``. Lives on the process thread, where no fork can come between two looks.
final class TreeEnding {
    private let scope: TreeScope
    private let completion: @Sendable (TreeOutcome) -> Void
    private var machine: TreeTeardown
    private var last: CInt?
    /// All that were ever seen of the trees: an orphan's children have no other tie to them.
    private var known: Set<ProcessIdentity> = []

    init(scope: TreeScope, steps: [TreeTeardown.Step], completion: @escaping @Sendable (TreeOutcome) -> Void) {
        self.scope = scope
        self.machine = TreeTeardown(steps: steps)
        self.completion = completion
    }

    func look(on loop: ProcessLoop) {
        let alive = self.alive(children: loop.thread.children())
        switch self.machine.looked(alive: alive, at: .now) {
        case .signal(let signal, let processes, let lookAgain):
            self.last = signal
            for process in processes {
                ProcessTree.send(signal, to: process)
                // A stopped process handles nothing before it is continued.
                if signal != SIGKILL { ProcessTree.send(SIGCONT, to: process) }
            }
            loop.timers.schedule(at: lookAgain) { self.look(on: loop) }
        case .wait(let lookAgain):
            loop.timers.schedule(at: lookAgain) { self.look(on: loop) }
        case .finished:
            self.completion(.ended(by: self.last))
        case .gaveUp(let survivors):
            self.completion(.survivors(survivors))
        }
    }

    private func alive(children: [ProcessID]) -> Set<ProcessIdentity> {
        switch self.scope {
        case .everything:
            return ProcessTree.descendants(of: getpid())
        case .strays(let except):
            return ProcessTree.descendants(of: getpid(), except: except.union(children.map(\.pid)))
        case .trees(let roots):
            for root in roots where children.contains(root) {
                if let status = ProcessStatus(pid: root.pid) { self.known.insert(status.identity) }
            }
            for process in self.known {
                guard let status = ProcessStatus(pid: process.pid), status.identity == process else {
                    self.known.remove(process)
                    continue
                }
                self.known.formUnion(ProcessTree.descendants(of: process.pid))
            }
            return self.known.filter { ProcessStatus(pid: $0.pid).map { !$0.isDead } ?? false }
        }
    }
}

extension ProcessThread {
    /// Ends processes, and returns when none is left or all steps are over. Not ended by cancellation: the steps
    /// bound it.
    package func end(
        _ scope: TreeScope,
        steps: [TreeTeardown.Step] = .termThenKill()
    ) async -> TreeOutcome {
        await withCheckedContinuation { continuation in
            self.end(scope, steps: steps) { continuation.resume(returning: $0) }
        }
    }

    /// - Parameter completion: called once, on the process thread.
    package func end(
        _ scope: TreeScope,
        steps: [TreeTeardown.Step] = .termThenKill(),
        completion: @escaping @Sendable (TreeOutcome) -> Void
    ) {
        self.enqueue { loop in
            TreeEnding(scope: scope, steps: steps, completion: completion).look(on: loop)
        }
    }

    /// Kills what is in a group and below it, and removes it.
    ///
    /// - Returns: Whether it is gone. `false` after the patience is over, or when it is not ours to remove.
    package func end(_ cgroup: Cgroup, patience: Duration = .seconds(2)) async -> Bool {
        await withCheckedContinuation { continuation in
            let deadline = SuspendingClock.now.advanced(by: patience)
            self.enqueue { loop in
                Self.end(cgroup, until: deadline, delay: .milliseconds(1), on: loop) {
                    continuation.resume(returning: $0)
                }
            }
        }
    }

    private static func end(
        _ cgroup: Cgroup,
        until deadline: SuspendingClock.Instant,
        delay: Duration,
        on loop: ProcessLoop,
        completion: @escaping @Sendable (Bool) -> Void
    ) {
        do throws(SystemCallError) {
            try cgroup.kill()
            try cgroup.remove()
            completion(true)
        } catch {
            let now = SuspendingClock.now
            switch error.code {
            case ENOENT, ENODEV:
                completion(true)
            case EBUSY where now < deadline:
                loop.timers.schedule(at: min(now.advanced(by: delay), deadline)) {
                    Self.end(
                        cgroup, until: deadline, delay: min(delay * 2, .milliseconds(32)), on: loop,
                        completion: completion)
                }
            default:
                completion(false)
            }
        }
    }
}
