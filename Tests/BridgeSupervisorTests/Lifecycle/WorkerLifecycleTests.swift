import Testing

@testable import BridgeSupervisor

@Suite("Worker lifecycle") struct WorkerLifecycleTests {
    typealias Action = WorkerLifecycle.Action

    /// One thing that happens to a worker, and what is to be done about it.
    enum Event: Sendable, CustomStringConvertible {
        case start, stop, replace, delayIsOver
        case ready(at: Int)
        case exited(at: Int, code: Int32? = nil)

        var description: String {
            switch self {
            case .start: "start"
            case .stop: "stop"
            case .replace: "replace"
            case .delayIsOver: "delay is over"
            case .ready(let at): "ready at \(at) s"
            case .exited(let at, let code): "exited with \(code.map(String.init) ?? "a signal") at \(at) s"
            }
        }
    }

    /// Brings a worker into a phase. Time stands at 1,000 s where it is ready.
    private static let ways: [WorkerLifecycle.Phase: [Event]] = [
        .idle: [], .starting: [.start], .ready: [.start, .ready(at: 1_000)],
        .waiting: [.start, .exited(at: 1)],
        .failed: [.start, .exited(at: 1)] + (0..<4).flatMap { _ in [Event.delayIsOver, .exited(at: 1)] },
        .stopping: [.start, .stop], .stopped: [.start, .stop, .exited(at: 1)],
        .refused: [.start, .exited(at: 1, code: WorkerLifecycle.doNotRestart)],
    ]

    @discardableResult
    private static func apply(_ event: Event, to worker: inout WorkerLifecycle, draw: Double = 1) -> (Action, Bool?) {
        switch event {
        case .start: return (worker.start(), nil)
        case .stop: return (.none, worker.stop())
        case .replace: return (.none, worker.replace())
        case .delayIsOver: return (worker.delayIsOver(), nil)
        case .ready(let at):
            worker.ready(at: .seconds(at))
            return (.none, nil)
        case .exited(let at, let code): return (worker.exited(code: code, at: .seconds(at), draw: draw), nil)
        }
    }

    /// The delays, in milliseconds, of a worker that each time serves this many seconds and dies.
    private static func delays(serving: [Int], draw: Double = 1) -> [Int] {
        var worker = WorkerLifecycle()
        _ = worker.start()
        var now = 0
        return serving.map { seconds in
            worker.ready(at: .seconds(now))
            now += seconds
            guard case .restart(let delay) = worker.exited(code: nil, at: .seconds(now), draw: draw) else { return -1 }
            _ = worker.delayIsOver()
            return Int(delay / .milliseconds(1))
        }
    }

    @Test func `all phases can be reached`() {
        #expect(Set(Self.ways.keys).count == 8)
        for (phase, way) in Self.ways {
            var worker = WorkerLifecycle()
            for event in way { Self.apply(event, to: &worker) }
            let reached = worker.phase
            #expect(reached == phase)
        }
    }

    /// Every event in every phase: what is to be done, and the phase after it.
    @Test(
        arguments: [
            (.idle, .start, .spawn, .starting), (.starting, .start, .none, .starting), (.ready, .start, .none, .ready),
            (.waiting, .start, .none, .waiting), (.failed, .start, .none, .failed),
            (.stopping, .start, .none, .stopping),
            (.stopped, .start, .spawn, .starting), (.refused, .start, .spawn, .starting),

            (.idle, .ready(at: 5), .none, .idle), (.starting, .ready(at: 5), .none, .ready),
            (.ready, .ready(at: 5), .none, .ready),
            (.waiting, .ready(at: 5), .none, .waiting), (.failed, .ready(at: 5), .none, .failed),
            (.stopping, .ready(at: 5), .none, .stopping), (.stopped, .ready(at: 5), .none, .stopped),
            (.refused, .ready(at: 5), .none, .refused),

            (.idle, .exited(at: 1_000), .none, .idle),
            (.starting, .exited(at: 1_000), .restart(after: .milliseconds(100)), .waiting),
            (.ready, .exited(at: 1_000), .restart(after: .milliseconds(100)), .waiting),
            (.ready, .exited(at: 1_010), .restart(after: .zero), .waiting),
            (.waiting, .exited(at: 1_000), .none, .waiting), (.failed, .exited(at: 1_000), .none, .failed),
            (.stopping, .exited(at: 1_000), .leave, .stopped), (.stopped, .exited(at: 1_000), .none, .stopped),
            (.refused, .exited(at: 1_000), .none, .refused),
            (.starting, .exited(at: 1, code: 78), .leave, .refused),
            (.ready, .exited(at: 9_999, code: 78), .leave, .refused),
            (.stopping, .exited(at: 1, code: 78), .leave, .stopped),
            (.ready, .exited(at: 1_010, code: 0), .restart(after: .zero), .waiting),

            (.idle, .delayIsOver, .none, .idle), (.starting, .delayIsOver, .none, .starting),
            (.ready, .delayIsOver, .none, .ready),
            (.waiting, .delayIsOver, .spawn, .starting), (.failed, .delayIsOver, .spawn, .starting),
            (.stopping, .delayIsOver, .none, .stopping), (.stopped, .delayIsOver, .none, .stopped),
            (.refused, .delayIsOver, .none, .refused),
        ] as [(WorkerLifecycle.Phase, Event, Action, WorkerLifecycle.Phase)])
    func `an event in a phase`(
        phase: WorkerLifecycle.Phase, event: Event, expected: Action, after: WorkerLifecycle.Phase
    ) {
        var worker = WorkerLifecycle()
        for event in Self.ways[phase] ?? [] { Self.apply(event, to: &worker) }
        let (action, _) = Self.apply(event, to: &worker)
        let reached = worker.phase
        #expect(action == expected)
        #expect(reached == after)
    }

    /// Whether there is a process to end, and the phase after it.
    @Test(
        arguments: [
            (.idle, false, .stopped, false, .idle), (.starting, true, .stopping, true, .stopping),
            (.ready, true, .stopping, true, .stopping), (.waiting, false, .stopped, false, .idle),
            (.failed, false, .stopped, false, .idle), (.stopping, true, .stopping, true, .stopping),
            (.stopped, false, .stopped, false, .idle), (.refused, false, .stopped, false, .idle),
        ] as [(WorkerLifecycle.Phase, Bool, WorkerLifecycle.Phase, Bool, WorkerLifecycle.Phase)])
    func `a worker that is stopped or replaced in a phase`(
        phase: WorkerLifecycle.Phase, stops: Bool, stopped: WorkerLifecycle.Phase, replaces: Bool,
        replaced: WorkerLifecycle.Phase
    ) {
        for (event, expected, after) in [(Event.stop, stops, stopped), (.replace, replaces, replaced)] {
            var worker = WorkerLifecycle()
            for event in Self.ways[phase] ?? [] { Self.apply(event, to: &worker) }
            let (_, hasProcess) = Self.apply(event, to: &worker)
            let reached = worker.phase
            #expect(hasProcess == expected, "\(event)")
            #expect(reached == after, "\(event)")
        }
    }

    @Test func `a worker that is replaced is started again at once when it has ended, and that is no failure`() {
        for failing in [false, true] {
            var worker = WorkerLifecycle()
            for event in [Event.start, .ready(at: 0), .replace] { Self.apply(event, to: &worker) }
            let (action, _) = Self.apply(.exited(at: 1, code: failing ? WorkerLifecycle.doNotRestart : 0), to: &worker)
            let phase = worker.phase
            let restarts = worker.restarts
            #expect(action == .spawn)
            #expect(phase == .starting)
            #expect(restarts == 0)
            Self.apply(.ready(at: 2), to: &worker)
            let (next, _) = Self.apply(.exited(at: 12), to: &worker)
            #expect(next == .restart(after: .zero), "its first failure")
        }
    }

    @Test func `a worker that is to be replaced and then stopped stays down`() {
        var worker = WorkerLifecycle()
        for event in [Event.start, .ready(at: 0), .replace, .stop] { Self.apply(event, to: &worker) }
        let (action, _) = Self.apply(.exited(at: 1), to: &worker)
        #expect(action == .leave)
        var other = WorkerLifecycle()
        for event in [Event.start, .stop, .replace] { Self.apply(event, to: &other) }
        let (left, _) = Self.apply(.exited(at: 1), to: &other)
        #expect(left == .leave)
    }

    @Test func `a worker that had given up gets a new chance with a new configuration`() {
        var worker = WorkerLifecycle()
        for event in (Self.ways[.failed] ?? []) + [.replace] { Self.apply(event, to: &worker) }
        let (action, _) = Self.apply(.start, to: &worker)
        #expect(action == .spawn)
        let (late, _) = Self.apply(.delayIsOver, to: &worker)
        #expect(late == .none, "the old timer is too late")
        let (again, _) = Self.apply(.exited(at: 1), to: &worker)
        #expect(again == .restart(after: .milliseconds(100)), "its past is forgotten")
    }

    @Test func `a worker that served well is restarted at once the first time, then ever later`() {
        #expect(
            Self.delays(serving: Array(repeating: 10, count: 13)) == [
                0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000,
            ])
    }

    @Test func `a worker that never served well waits from the first time, and has failed at the fifth`() {
        #expect(Self.delays(serving: [0, 9, 0, 9, 0, 0, 0]) == [100, 200, 400, 800, 60_000, 60_000, 60_000])
    }

    @Test func `quick failures count in a row only`() {
        #expect(
            Self.delays(serving: [0, 0, 0, 0, 10, 0, 0, 0, 0, 0]) == [
                100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 60_000,
            ])
    }

    @Test func `five stable minutes forgive everything`() {
        #expect(Self.delays(serving: [10, 10, 10, 300, 10, 299, 10]) == [0, 100, 200, 0, 100, 200, 400])
    }

    @Test func `no number of failures overflows the delay`() {
        #expect(Self.delays(serving: Array(repeating: 10, count: 200)).max() == 60_000)
    }

    @Test(arguments: [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0), (-3.0, 0.5), (7.0, 1.0)])
    func `a delay is drawn from its upper half`(draw: Double, share: Double) {
        let delays = Self.delays(serving: Array(repeating: 10, count: 12), draw: draw)
        let whole = Self.delays(serving: Array(repeating: 10, count: 12))
        #expect(delays == whole.map { Int(Double($0) * share) })
    }

    @Test func `restarts are counted, replacements are not`() {
        var worker = WorkerLifecycle()
        for event in [
            Event.start, .exited(at: 1), .delayIsOver, .exited(at: 2), .delayIsOver, .replace, .exited(at: 3),
        ] {
            Self.apply(event, to: &worker)
        }
        let restarts = worker.restarts
        #expect(restarts == 2)
    }

    @Test func `a policy of one's own is kept to`() {
        var policy = RestartPolicy()
        policy.provenAfter = .seconds(1)
        policy.firstDelay = .milliseconds(10)
        policy.longestDelay = .milliseconds(15)
        policy.quickFailuresAllowed = 2
        var worker = WorkerLifecycle(policy: policy)
        Self.apply(.start, to: &worker)
        let (first, _) = Self.apply(.exited(at: 0), to: &worker)
        Self.apply(.delayIsOver, to: &worker)
        let (second, _) = Self.apply(.exited(at: 0), to: &worker)
        let phase = worker.phase
        #expect(first == .restart(after: .milliseconds(10)))
        #expect(second == .restart(after: .milliseconds(15)))
        #expect(phase == .failed)
    }

    @Test func `another configuration starts whoever is not running, a refused worker too`() {
        typealias Phase = WorkerLifecycle.Phase
        for phase in [Phase.waiting, .failed, .refused] { #expect(phase.startsForAnotherConfiguration) }
        for phase in [Phase.idle, .starting, .ready, .stopping, .stopped] {
            #expect(!phase.startsForAnotherConfiguration)
        }
        var lifecycle = WorkerLifecycle()
        _ = lifecycle.start()
        _ = lifecycle.exited(code: WorkerLifecycle.doNotRestart, at: .zero, draw: 0)
        #expect(lifecycle.phase == .refused)
        let hasProcess = lifecycle.replace()
        #expect(!hasProcess)
        #expect(lifecycle.start() == .spawn)
    }
}
