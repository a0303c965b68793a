import BridgeConfiguration
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
            machine.listed(now: self.now)
        case .endingForBackoff, .backoff: _ = machine.lost(callsWait: false, now: self.now, random: 0)
        case .failed: _ = machine.unservable()
        case .stopped: break
        }
        switch way {
        case .endingForReconnect: _ = machine.lost(callsWait: false, now: self.now + .seconds(10), random: 0)
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
        (Way.idle, UpstreamPhase.idle, false), (.connecting, .connecting, false),
        (.initialized, .connecting, true), (.ready, .ready, true), (.endingForReconnect, .connecting, false),
        (.endingForBackoff, .backoff, false), (.endingForIdle, .idle, false), (.endingForStop, .stopped, false),
        (.backoff, .backoff, false), (.failed, .failed, false), (.stopped, .stopped, false),
    ])
    func `each state has its word, and calls flow in two of them`(
        way: Way, phase: UpstreamPhase, isConnected: Bool
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
        machine.listed(now: self.now)
        #expect(!taken)
        #expect(machine.phase == .backoff)
    }

    @Test(arguments: [
        (Way.idle, UpstreamLifecycle.Action.connect), (.connecting, .none), (.initialized, .none), (.ready, .none),
        (.endingForReconnect, .none), (.endingForBackoff, .none), (.endingForIdle, .none), (.endingForStop, .none),
        (.backoff, .none), (.failed, .refuse), (.stopped, .refuse),
    ])
    func `a list that is wanted`(way: Way, expected: UpstreamLifecycle.Action) {
        var machine = self.machine(way)
        let action = machine.wanted()
        #expect(action == expected)
    }

    @Test func `a list that is wanted cuts no delay short`() {
        var machine = self.machine(.endingForBackoff)
        _ = machine.wanted()
        let ended = machine.ended(now: self.now)
        #expect(ended == .wait(until: self.now + .milliseconds(500)))
        _ = machine.wanted()
        #expect(machine.nextAttempt == self.now + .milliseconds(500))
    }

    @Test func `a list that is wanted while an unused child is being ended starts the next`() {
        var machine = self.machine(.endingForIdle)
        _ = machine.wanted()
        let ended = machine.ended(now: self.now)
        #expect(ended == .connect)
    }

    @Test func `what nobody needs is not tried again, and is by the next call`() {
        var machine = self.machine(.backoff)
        let later = self.now + .minutes(5)
        #expect(machine.delayOver(now: later, isNeeded: false) == .none)
        #expect(machine.phase == .idle)
        #expect(machine.attempts == 1, "that it failed is remembered")
        #expect(machine.needed(now: later) == .connect)
    }

    /// Ways to a loss that the server may give a time with.
    private static let lively: [Way] = [.connecting, .initialized, .ready]

    @Test(arguments: Self.lively, [0, 0.5])
    func `a server that wants to be left in peace is, and has not failed`(way: Way, random: Double) {
        var machine = self.machine(way)
        let action = machine.lost(callsWait: true, peace: .seconds(60), now: self.now, random: random)
        #expect(action == .end(failWaiting: true) && machine.attempts == 0)
        #expect(machine.peace(now: self.now) == .seconds(60))
        let until = self.now + .seconds(60) + .milliseconds(Int64(1_000 * random))
        #expect(machine.ended(now: self.now) == .wait(until: until) && machine.phase == .backoff)
        // Nobody is served by asking sooner.
        #expect(machine.needed(now: self.now + .seconds(1)) != .connect)
        #expect(machine.peace(now: self.now + .seconds(20)) == .seconds(40))
        #expect(machine.needed(now: self.now + .seconds(60)) == .connect)
        #expect(machine.peace(now: self.now + .seconds(60)) == nil)
    }

    @Test(arguments: Self.lively) func `calls wait where that is soon, for one attempt`(way: Way) {
        var machine = self.machine(way)
        let first = machine.lost(callsWait: true, peace: .seconds(5), now: self.now, random: 0.9)
        #expect(first == .end(failWaiting: false))
        let then = self.now + .seconds(5)
        #expect(machine.ended(now: self.now) == .wait(until: then) && machine.delayOver(now: then) == .connect)
        let second = machine.lost(callsWait: true, peace: .seconds(5), now: then, random: 0.9)
        #expect(second == .end(failWaiting: true))
    }

    @Test(arguments: [(TimeAmount.zero, Peace.shortest), (.hours(24), Peace.longest)])
    func `peace is bounded on both sides`(wanted: TimeAmount, kept: TimeAmount) {
        var machine = self.machine(.connecting)
        _ = machine.lost(callsWait: false, peace: wanted, now: self.now, random: 0)
        #expect(machine.peace(now: self.now) == kept)
    }

    @Test(arguments: Way.allCases) func `no other way leaves a server in peace`(way: Way) {
        #expect(self.machine(way).peace(now: self.now) == nil)
    }

    @Test func `whoever wants peace again and again is asked ever more seldom, until it is ready`() {
        var machine = self.machine(.connecting)
        var (now, delays) = (self.now, [TimeAmount]())
        for _ in 0..<6 {
            _ = machine.lost(callsWait: false, peace: .zero, now: now, random: 0)
            guard case .wait(let until) = machine.ended(now: now) else { continue }
            delays.append(until - now)
            now = until
            _ = machine.delayOver(now: now)
        }
        #expect(delays.count == 6 && delays == delays.sorted() && delays[5] > 8 * delays[0])
        #expect(machine.attempts == 0)
    }
}
