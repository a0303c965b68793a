import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Upkeep") struct UpkeepTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func connected(idleStop: TimeAmount? = nil, lists: Bool = true) -> Upkeep {
        var upkeep = Upkeep(
            .init(refresh: .minutes(5), ping: .seconds(60), pingTimeout: .seconds(30), idleStop: idleStop)
        )
        upkeep.connected(lists: lists, now: self.t0)
        return upkeep
    }

    @Test func `the first list is due at once, the next after the interval`() {
        var upkeep = self.connected()
        #expect(upkeep.next == self.t0)
        #expect(upkeep.due(now: self.t0, callsUnderWay: false) == [.list])
        #expect(upkeep.due(now: self.t0, callsUnderWay: false) == [])
        upkeep.listFinished(succeeded: true, now: self.t0 + .seconds(1))
        #expect(upkeep.due(now: self.t0 + .seconds(60), callsUnderWay: false) == [.ping])
        _ = upkeep.heard(now: self.t0 + .seconds(60))
        #expect(upkeep.next == self.t0 + .seconds(120))
        _ = upkeep.due(now: self.t0 + .seconds(120), callsUnderWay: false)
        _ = upkeep.heard(now: self.t0 + .seconds(290))
        #expect(upkeep.next == self.t0 + .seconds(301))
        #expect(upkeep.due(now: self.t0 + .seconds(301), callsUnderWay: false) == [.list])
    }

    @Test func `a list that failed is tried again sooner`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listFinished(succeeded: false, now: self.t0)
        #expect(upkeep.next == self.t0 + .seconds(30))
    }

    @Test func `a burst of changes costs one list, and one that comes while it is read another`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listFinished(succeeded: true, now: self.t0)
        for millisecond in 0..<50 { upkeep.listChanged(now: self.t0 + .milliseconds(Int64(millisecond))) }
        #expect(upkeep.next == self.t0 + .milliseconds(100))
        #expect(upkeep.due(now: self.t0 + .milliseconds(100), callsUnderWay: false) == [.list])
        upkeep.listChanged(now: self.t0 + .milliseconds(110))
        #expect(upkeep.due(now: self.t0 + .seconds(5), callsUnderWay: false) == [])
        upkeep.listFinished(succeeded: true, now: self.t0 + .seconds(5))
        #expect(upkeep.next == self.t0 + .milliseconds(5_100))
    }

    @Test func `an unused upstream is let go, a used one is not`() {
        var upkeep = self.connected(idleStop: .seconds(10), lists: false)
        upkeep.busy(true, now: self.t0 + .seconds(5))
        #expect(upkeep.due(now: self.t0 + .seconds(20), callsUnderWay: false) == [])
        upkeep.busy(false, now: self.t0 + .seconds(21))
        #expect(upkeep.next == self.t0 + .seconds(31))
        #expect(upkeep.due(now: self.t0 + .seconds(31), callsUnderWay: false) == [.unused])
    }

    @Test func `an upstream is not let go while its list is read`() {
        var upkeep = self.connected(idleStop: .seconds(1))
        #expect(upkeep.due(now: self.t0 + .seconds(5), callsUnderWay: false) == [.list])
        #expect(upkeep.due(now: self.t0 + .seconds(6), callsUnderWay: false) == [])
        #expect(upkeep.next == self.t0 + .seconds(60))
        upkeep.listFinished(succeeded: true, now: self.t0 + .seconds(7))
        #expect(upkeep.due(now: self.t0 + .seconds(7), callsUnderWay: false) == [.unused])
    }

    @Test func `nothing is due without a connection`() {
        var upkeep = self.connected()
        upkeep.disconnected()
        upkeep.listChanged(now: self.t0)
        #expect(upkeep.next == nil)
        #expect(upkeep.due(now: self.t0 + .hours(1), callsUnderWay: false) == [])
    }
}
