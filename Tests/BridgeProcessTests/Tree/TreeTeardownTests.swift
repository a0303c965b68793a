import Glibc
import Testing

@testable import BridgeProcess

@Suite("Tree teardown") struct TreeTeardownTests {
    private static let a = ProcessIdentity(pid: 1, startTime: 1)
    private static let b = ProcessIdentity(pid: 2, startTime: 2)
    private static let start = SuspendingClock.now
    private static let steps: [TreeTeardown.Step] = [
        .init(nil, patience: .milliseconds(100)),
        .init(SIGTERM, patience: .seconds(1)),
        .init(SIGKILL, patience: .seconds(1)),
    ]

    @Test func `an empty tree is finished at once`() {
        var teardown = TreeTeardown(steps: Self.steps)
        #expect(Self.look(&teardown, [], 0) == .finished)
    }

    @Test func `each step's signal is sent once to each, until its patience is over`() {
        var teardown = TreeTeardown(steps: Self.steps)
        #expect(Self.look(&teardown, [Self.a, Self.b], 0) == .wait(lookAgain: Self.at(1)))
        #expect(Self.look(&teardown, [Self.a, Self.b], 1) == .wait(lookAgain: Self.at(3)))
        #expect(Self.look(&teardown, [Self.a, Self.b], 99) == .wait(lookAgain: Self.at(100)))
        #expect(
            Self.look(&teardown, [Self.a, Self.b], 100) == .signal(SIGTERM, [Self.a, Self.b], lookAgain: Self.at(101)))
        #expect(Self.look(&teardown, [Self.a], 101) == .wait(lookAgain: Self.at(103)))
        #expect(Self.look(&teardown, [Self.a], 1100) == .signal(SIGKILL, [Self.a], lookAgain: Self.at(1101)))
        #expect(Self.look(&teardown, [], 1101) == .finished)
    }

    @Test func `one that appears during a step gets its signal too`() {
        var teardown = TreeTeardown(steps: [.init(SIGKILL, patience: .seconds(1))])
        #expect(Self.look(&teardown, [Self.a], 0) == .signal(SIGKILL, [Self.a], lookAgain: Self.at(1)))
        #expect(Self.look(&teardown, [Self.a, Self.b], 1) == .signal(SIGKILL, [Self.b], lookAgain: Self.at(2)))
        // A number used again is somebody new.
        let again = ProcessIdentity(pid: 1, startTime: 9)
        #expect(Self.look(&teardown, [again], 2) == .signal(SIGKILL, [again], lookAgain: Self.at(3)))
    }

    @Test func `after the last step it gives up, for good`() {
        var teardown = TreeTeardown(steps: [.init(SIGKILL, patience: .milliseconds(10))])
        _ = Self.look(&teardown, [Self.a], 0)
        #expect(Self.look(&teardown, [Self.a], 10) == .gaveUp([Self.a]))
        #expect(Self.look(&teardown, [], 11) == .gaveUp([Self.a]))
    }

    @Test func `looks grow apart up to 32 ms`() {
        var teardown = TreeTeardown(steps: [.init(SIGTERM, patience: .seconds(10))])
        var action = Self.look(&teardown, [Self.a], 0)
        var looks: [Int] = []
        for _ in 0..<8 {
            guard case .signal(_, _, let next) = action else {
                guard case .wait(let next) = action else { break }
                looks.append(Self.milliseconds(next))
                action = teardown.looked(alive: [Self.a], at: next)
                continue
            }
            looks.append(Self.milliseconds(next))
            action = teardown.looked(alive: [Self.a], at: next)
        }
        #expect(looks == [1, 3, 7, 15, 31, 63, 95, 127])
    }

    @Test func `the standard steps are bounded`() {
        let steps: [TreeTeardown.Step] = .termThenKill(grace: .seconds(1), term: .seconds(2), kill: .seconds(3))
        #expect(steps.map(\.signal) == [nil, SIGTERM, SIGKILL])
        #expect(steps.map(\.patience) == [.seconds(1), .seconds(2), .seconds(3)])
    }

    private static func at(_ milliseconds: Int) -> SuspendingClock.Instant { Self.start + .milliseconds(milliseconds) }

    private static func milliseconds(_ instant: SuspendingClock.Instant) -> Int {
        Int((instant - Self.start) / .milliseconds(1))
    }

    private static func look(
        _ teardown: inout TreeTeardown,
        _ alive: Set<ProcessIdentity>,
        _ milliseconds: Int
    ) -> TreeTeardown.Action {
        teardown.looked(alive: alive, at: Self.at(milliseconds))
    }
}
