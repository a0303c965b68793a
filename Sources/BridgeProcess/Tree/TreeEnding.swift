import Glibc

/// Carries out one ``TreeTeardown``. Lives on the process thread, where no fork can come between two looks.
final class TreeEnding {
    private let scope: TreeScope
    private let completion: @Sendable (TreeOutcome) -> Void
    private var machine: TreeTeardown
    private var last: CInt?
    /// Of one child's: what has been found to be its own, and the process groups that began there. What is started while the
    /// one that starts it ends has no parent to be found by, but that group.
    private var own: Set<ProcessIdentity> = []
    private var ownGroups: Set<pid_t> = []

    init(scope: TreeScope, steps: [TreeTeardown.Step], completion: @escaping @Sendable (TreeOutcome) -> Void) {
        self.scope = scope
        self.machine = TreeTeardown(steps: steps)
        self.completion = completion
    }

    func look(on loop: ProcessLoop) {
        let alive = self.alive(besides: loop.thread)
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

    private func alive(besides thread: ProcessThread) -> Set<ProcessIdentity> {
        switch self.scope {
        case .everything:
            return ProcessTree.descendants(of: getpid())
        case .child(let pid):
            let others = Set(thread.children().map(\.pid)).subtracting([pid])
            let candidates = ProcessTree.descendants(of: getpid(), except: others)
            return others.isEmpty ? candidates : self.living(of: pid, in: candidates)
        case .strays(let except):
            let spared = except.union(thread.children().map(\.pid))
            return thread.commands.find { ProcessTree.descendants(of: getpid(), except: spared.union($0)) }
        }
    }

    /// Which of these are a child's own, beside other children.
    private func living(of child: pid_t, in candidates: Set<ProcessIdentity>) -> Set<ProcessIdentity> {
        self.ownGroups.insert(child)
        self.own.formUnion(
            candidates.filter { candidate in
                candidate.pid == child
                    || ProcessStatus(pid: candidate.pid).map { self.ownGroups.contains($0.group) } ?? false
            })
        for root in self.own.intersection(candidates) { self.own.formUnion(ProcessTree.descendants(of: root.pid)) }
        let living = self.own.intersection(candidates)
        for process in living where ProcessStatus(pid: process.pid)?.group == process.pid {
            self.ownGroups.insert(process.pid)
        }
        return living
    }
}

extension ProcessThread {
    /// Ends processes, until none is left or all steps are over.
    ///
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
}
