import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Upstream lifecycle") struct UpstreamLifecycleTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var now: NIODeadline { Self.start }

    /// A machine that has been brought into a state by the shortest way.
    private func machine(_ way: Way) -> UpstreamLifecycle {
        var machine = UpstreamLifecycle(policy: ReconnectPolicy())
        if way == .idle { return machine }
        _ = machine.start()
        switch way {
        case .idle, .connecting: break
        case .initialized: _ = machine.initialized()
        case .ready, .endingForReconnect, .endingForIdle, .endingForStop:
            _ = machine.initialized()
            machine.listed()
        case .endingForBackoff, .backoff: _ = machine.lost(callsWait: false, now: self.now, random: 0)
        case .failed: _ = machine.unservable()
        case .stopped: break
        }
        switch way {
        case .endingForReconnect: _ = machine.lost(callsWait: false, now: self.now, random: 0)
        case .endingForIdle: _ = machine.unused()
        case .endingForStop, .stopped: _ = machine.stop()
        case .backoff: _ = machine.ended(now: self.now)
        default: break
        }
        if way == .stopped { _ = machine.ended(now: self.now) }
        return machine
    }

    enum Way: CaseIterable {
        case idle, connecting, initialized, ready, endingForReconnect, endingForBackoff, endingForIdle, endingForStop
        case backoff, failed, stopped
    }

    @Test(arguments: [
        (Way.idle, UpstreamLifecycle.Phase.idle, false), (.connecting, .connecting, false),
        (.initialized, .connecting, true), (.ready, .ready, true), (.endingForReconnect, .connecting, false),
        (.endingForBackoff, .backoff, false), (.endingForIdle, .idle, false), (.endingForStop, .stopped, false),
        (.backoff, .backoff, false), (.failed, .failed, false), (.stopped, .stopped, false),
    ])
    func `each state has its word, and calls flow in two of them`(
        way: Way, phase: UpstreamLifecycle.Phase, isConnected: Bool
    ) {
        let machine = self.machine(way)
        #expect(machine.phase == phase)
        #expect(machine.isConnected == isConnected)
    }

    @Test(arguments: [
        (Way.idle, UpstreamLifecycle.Action.connect), (.connecting, .none), (.initialized, .none), (.ready, .none),
        (.endingForReconnect, .none), (.endingForBackoff, .none), (.endingForIdle, .none), (.endingForStop, .refuse),
        (.backoff, .wait(until: start + UpstreamLifecycle.floor)), (.failed, .refuse), (.stopped, .refuse),
    ])
    func `a call that arrives`(way: Way, expected: UpstreamLifecycle.Action) {
        var machine = self.machine(way)
        let action = machine.needed(now: self.now)
        #expect(action == expected)
    }

    @Test(arguments: [
        (Way.idle, UpstreamLifecycle.Action.none), (.connecting, .end(failWaiting: true)),
        (.initialized, .end(failWaiting: true)), (.ready, .end(failWaiting: false)), (.endingForReconnect, .none),
        (.endingForBackoff, .none), (.endingForIdle, .none), (.endingForStop, .none), (.backoff, .none),
        (.failed, .none), (.stopped, .none),
    ])
    func `a connection that is lost`(way: Way, expected: UpstreamLifecycle.Action) {
        var machine = self.machine(way)
        let action = machine.lost(callsWait: false, now: self.now, random: 0)
        #expect(action == expected)
    }

    @Test(arguments: [
        (Way.idle, UpstreamLifecycle.Action.finish), (.connecting, .end(failWaiting: true)),
        (.initialized, .end(failWaiting: true)), (.ready, .end(failWaiting: true)), (.endingForReconnect, .none),
        (.endingForBackoff, .none), (.endingForIdle, .none), (.endingForStop, .none), (.backoff, .finish),
        (.failed, .finish), (.stopped, .none),
    ])
    func `being stopped`(way: Way, expected: UpstreamLifecycle.Action) {
        var machine = self.machine(way)
        let action = machine.stop()
        #expect(action == expected)
        #expect(machine.phase == .stopped)
    }

    @Test(arguments: [
        (Way.idle, UpstreamLifecycle.Action.none), (.connecting, .none), (.initialized, .none), (.ready, .none),
        (.endingForReconnect, .connect), (.endingForBackoff, .wait(until: start + .milliseconds(500))),
        (.endingForIdle, .none), (.endingForStop, .finish), (.backoff, .none), (.failed, .none), (.stopped, .none),
    ])
    func `the last process being gone`(way: Way, expected: UpstreamLifecycle.Action) {
        var machine = self.machine(way)
        let action = machine.ended(now: self.now)
        #expect(action == expected)
    }

    @Test(arguments: [
        (Way.idle, UpstreamLifecycle.Action.none), (.connecting, .end(failWaiting: false)),
        (.initialized, .end(failWaiting: false)), (.ready, .end(failWaiting: false)), (.endingForReconnect, .none),
        (.endingForBackoff, .none), (.endingForIdle, .none), (.endingForStop, .none), (.backoff, .connect),
        (.failed, .connect), (.stopped, .none),
    ])
    func `a configuration that needs another child`(way: Way, expected: UpstreamLifecycle.Action) {
        var machine = self.machine(way)
        let action = machine.reconfigured(policy: ReconnectPolicy(), reconnect: true)
        #expect(action == expected)
    }

    @Test func `attempts that fail wait longer and longer, and a success begins anew`() {
        var machine = self.machine(.connecting)
        var now = self.now
        for (failure, seconds) in [1, 2, 4, 8, 16, 32, 60, 60].enumerated() {
            let lost = machine.lost(callsWait: false, now: now, random: 0.999_999_999)
            #expect(lost == .end(failWaiting: true))
            #expect(machine.attempts == failure + 1)
            guard case .wait(let until) = machine.ended(now: now) else {
                Issue.record("no delay")
                return
            }
            #expect(until > now + .milliseconds(Int64(seconds) * 999) && until <= now + .seconds(Int64(seconds)))
            #expect(machine.nextAttempt == until)
            let early = machine.delayOver(now: until - .nanoseconds(1))
            #expect(early == .none)
            now = until
            let over = machine.delayOver(now: now)
            #expect(over == .connect)
        }
        _ = machine.initialized()
        machine.listed()
        #expect(machine.attempts == 0)
    }

    @Test func `the first loss is mended at once, the next within a minute is not`() {
        var machine = self.machine(.ready)
        _ = machine.lost(callsWait: false, now: self.now, random: 0)
        let first = machine.ended(now: self.now)
        #expect(first == .connect)
        _ = machine.initialized()
        machine.listed()
        _ = machine.lost(callsWait: false, now: self.now + .seconds(1), random: 0)
        let second = machine.ended(now: self.now + .seconds(1))
        #expect(second == .wait(until: self.now + .milliseconds(1_500)))
        _ = machine.delayOver(now: self.now + .seconds(2))
        _ = machine.initialized()
        machine.listed()
        _ = machine.lost(callsWait: false, now: self.now + .seconds(60), random: 0)
        let third = machine.ended(now: self.now + .seconds(60))
        #expect(third == .connect)
    }

    @Test func `calls that wait get their attempt at once however often the connection is lost`() {
        var machine = self.machine(.ready)
        for _ in 0..<5 {
            let lost = machine.lost(callsWait: true, now: self.now, random: 0)
            #expect(lost == .end(failWaiting: false))
            let ended = machine.ended(now: self.now)
            #expect(ended == .connect)
            _ = machine.initialized()
            machine.listed()
        }
    }

    @Test func `a call while the old processes are being ended shortens the delay to its floor`() {
        var machine = self.machine(.endingForBackoff)
        _ = machine.needed(now: self.now)
        let ended = machine.ended(now: self.now)
        #expect(ended == .wait(until: self.now + UpstreamLifecycle.floor))
    }

    @Test func `a call while an unused child is being ended starts the next`() {
        var machine = self.machine(.endingForIdle)
        _ = machine.needed(now: self.now)
        let ended = machine.ended(now: self.now)
        #expect(ended == .connect)
    }

    @Test func `an answer to initialize that comes too late changes nothing`() {
        var machine = self.machine(.endingForBackoff)
        let taken = machine.initialized()
        machine.listed()
        #expect(!taken)
        #expect(machine.phase == .backoff)
    }

    @Test(arguments: [
        (0, 1.0), (1, 2.0), (2, 4.0), (3, 8.0), (4, 16.0), (5, 32.0), (6, 60.0), (7, 60.0), (1_000, 60.0),
    ])
    func `delays double up to the ceiling, and are drawn from the upper half`(failures: Int, ceiling: Double) {
        let policy = ReconnectPolicy()
        #expect(policy.delay(afterFailures: failures, random: 0) == Seconds(ceiling / 2).timeAmount)
        #expect(policy.delay(afterFailures: failures, random: 0.5) == Seconds(ceiling * 0.75).timeAmount)
    }
}
