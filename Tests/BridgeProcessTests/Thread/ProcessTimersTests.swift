import Testing

@testable import BridgeProcess

@Suite("Process timers") struct ProcessTimersTests {
    @Test func `those that are due come in order, and once`() {
        let start = SuspendingClock.now
        var fired: [Int] = []
        var timers = ProcessTimers()
        #expect(timers.timeout(from: start) == -1)
        for delay in [30, 10, 20, 10] { timers.schedule(at: start + .milliseconds(delay)) { fired.append(delay) } }
        #expect(timers.timeout(from: start) == 10)
        #expect(timers.timeout(from: start + .microseconds(9001)) == 1)
        #expect(timers.timeout(from: start + .seconds(1)) == 0)
        for action in timers.due(at: start + .milliseconds(20)) { action() }
        #expect(fired == [10, 10, 20])
        for action in timers.due(at: start + .milliseconds(20)) { action() }
        #expect(fired == [10, 10, 20])
        #expect(timers.timeout(from: start + .milliseconds(20)) == 10)
    }
}
