import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Upkeep") struct UpkeepTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func connected(idleStop: TimeAmount? = nil, lists: [Offering] = [.tools]) -> Upkeep {
        var upkeep = Upkeep(
            .init(refresh: .minutes(5), ping: .seconds(60), pingTimeout: .seconds(30), idleStop: idleStop)
        )
        upkeep.connected(lists: lists, now: self.t0)
        return upkeep
    }

    @Test func `the first list is due at once, the next after the interval`() {
        var upkeep = self.connected()
        #expect(upkeep.next == self.t0)
        #expect(upkeep.due(now: self.t0, callsUnderWay: false) == [.list(.tools)])
        #expect(upkeep.due(now: self.t0, callsUnderWay: false) == [])
        upkeep.listFinished(.tools, succeeded: true, now: self.t0 + .seconds(1))
        #expect(upkeep.due(now: self.t0 + .seconds(60), callsUnderWay: false) == [.ping])
        _ = upkeep.heard(now: self.t0 + .seconds(60))
        #expect(upkeep.next == self.t0 + .seconds(120))
        _ = upkeep.due(now: self.t0 + .seconds(120), callsUnderWay: false)
        _ = upkeep.heard(now: self.t0 + .seconds(290))
        #expect(upkeep.next == self.t0 + .seconds(301))
        #expect(upkeep.due(now: self.t0 + .seconds(301), callsUnderWay: false) == [.list(.tools)])
    }

    @Test func `a list that failed is tried again sooner`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listFinished(.tools, succeeded: false, now: self.t0)
        #expect(upkeep.next == self.t0 + .seconds(30))
    }

    @Test func `a burst of changes costs one list, and one that comes while it is read another`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listFinished(.tools, succeeded: true, now: self.t0)
        for millisecond in 0..<50 { upkeep.listChanged(.tools, now: self.t0 + .milliseconds(Int64(millisecond))) }
        #expect(upkeep.next == self.t0 + .milliseconds(100))
        #expect(upkeep.due(now: self.t0 + .milliseconds(100), callsUnderWay: false) == [.list(.tools)])
        upkeep.listChanged(.tools, now: self.t0 + .milliseconds(110))
        #expect(upkeep.due(now: self.t0 + .seconds(5), callsUnderWay: false) == [])
        upkeep.listFinished(.tools, succeeded: true, now: self.t0 + .seconds(5))
        #expect(upkeep.next == self.t0 + .milliseconds(5_100))
    }

    @Test func `an unused upstream is let go, a used one is not`() {
        var upkeep = self.connected(idleStop: .seconds(10), lists: [])
        upkeep.busy(true, now: self.t0 + .seconds(5))
        #expect(upkeep.due(now: self.t0 + .seconds(20), callsUnderWay: false) == [])
        upkeep.busy(false, now: self.t0 + .seconds(21))
        #expect(upkeep.next == self.t0 + .seconds(31))
        #expect(upkeep.due(now: self.t0 + .seconds(31), callsUnderWay: false) == [.unused])
    }

    @Test func `an upstream is not let go while its list is read`() {
        var upkeep = self.connected(idleStop: .seconds(1))
        #expect(upkeep.due(now: self.t0 + .seconds(5), callsUnderWay: false) == [.list(.tools)])
        #expect(upkeep.due(now: self.t0 + .seconds(6), callsUnderWay: false) == [])
        #expect(upkeep.next == self.t0 + .seconds(60))
        upkeep.listFinished(.tools, succeeded: true, now: self.t0 + .seconds(7))
        #expect(upkeep.due(now: self.t0 + .seconds(7), callsUnderWay: false) == [.unused])
    }

    @Test func `nothing is due without a connection`() {
        var upkeep = self.connected()
        upkeep.disconnected()
        upkeep.listChanged(.tools, now: self.t0)
        #expect(upkeep.next == nil)
        #expect(upkeep.due(now: self.t0 + .hours(1), callsUnderWay: false) == [])
    }

    @Test func `each list has its own times, and the connection stays while any is read`() {
        var upkeep = self.connected(idleStop: .seconds(1), lists: [.tools, .prompts])
        let first = upkeep.due(now: self.t0, callsUnderWay: false)
        #expect(first.count == 2 && first.contains(.list(.tools)) && first.contains(.list(.prompts)))
        upkeep.listFinished(.tools, succeeded: true, now: self.t0)
        upkeep.listChanged(.tools, now: self.t0)
        #expect(upkeep.due(now: self.t0 + .seconds(2), callsUnderWay: false) == [.list(.tools)])
        upkeep.listFinished(.tools, succeeded: true, now: self.t0 + .seconds(2))
        #expect(upkeep.due(now: self.t0 + .seconds(3), callsUnderWay: false) == [], "prompts are being read")
        upkeep.listFinished(.prompts, succeeded: true, now: self.t0 + .seconds(3))
        #expect(upkeep.due(now: self.t0 + .seconds(3), callsUnderWay: false) == [.unused])
    }
}
