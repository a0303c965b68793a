import Synchronization
import Testing

@testable import BridgeProcess

@Suite("Exit gate") struct ExitGateTests {
    private final class Calls: Sendable {
        let statuses = Mutex<[Exit]>([])
        var count: Int { self.statuses.withLock { $0.count } }
    }

    @Test func `an exit that comes first waits for the opening, and is told once`() {
        let calls = Calls()
        let gate = ExitGate { status in calls.statuses.withLock { $0.append(status) } }
        gate.exited(.exited(3))
        #expect(calls.count == 0)
        gate.open()
        #expect(calls.statuses.withLock { $0 } == [.exited(3)])
    }

    @Test func `an exit that comes later is told at once, and once`() {
        let calls = Calls()
        let gate = ExitGate { status in calls.statuses.withLock { $0.append(status) } }
        gate.open()
        #expect(calls.count == 0)
        gate.exited(.exited(4))
        #expect(calls.statuses.withLock { $0 } == [.exited(4)])
    }
}
