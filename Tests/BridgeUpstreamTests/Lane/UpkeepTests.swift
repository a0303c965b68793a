import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Upkeep") struct UpkeepTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func connected(
        idleStop: TimeAmount? = nil, lists: [Offering] = [.tools], ping: TimeAmount = .seconds(60)
    ) -> Upkeep {
        var upkeep = Upkeep(
            .init(refresh: .minutes(5), ping: ping, pingTimeout: .seconds(30), idleStop: idleStop)
        )
        upkeep.connected(lists: lists, now: self.t0)
        return upkeep
    }

    @Test func `the first list is due at once, the next after the interval`() {
        var upkeep = self.connected()
        #expect(upkeep.next == self.t0)
        #expect(upkeep.due(now: self.t0, callsUnderWay: false) == [.list(.tools)])
        #expect(upkeep.due(now: self.t0, callsUnderWay: false) == [])
        upkeep.listFinished(.tools, isNew: false, isWhole: true, now: self.t0 + .seconds(1))
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
        upkeep.listFinished(.tools, isNew: false, isWhole: false, now: self.t0)
        #expect(upkeep.next == self.t0 + .seconds(30))
    }

    @Test func `a list that the server wants to be asked for later is not before, whatever it says of changes`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listRefused(.tools, until: self.t0 + .seconds(100))
        upkeep.listFinished(.tools, isNew: false, isWhole: false, now: self.t0)
        upkeep.listChanged(.tools, now: self.t0 + .seconds(1))
        upkeep.list(at: self.t0 + .seconds(100), isNew: true, isWhole: true, notBefore: self.t0 + .seconds(99))
        upkeep.listChanged(.tools, now: self.t0 + .seconds(101))
        upkeep.list(at: self.t0 + .seconds(102), isNew: true, isWhole: true)
    }

    @Test func `a list is asked for when the server has said, though others that failed wait for longer`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listRefused(.tools, until: self.t0 + .seconds(10))
        upkeep.listFinished(.tools, isNew: false, isWhole: false, now: self.t0)
        #expect(upkeep.next == self.t0 + .seconds(10))
        // Whoever wants that again and again is asked ever more seldom.
        _ = upkeep.due(now: self.t0 + .seconds(10), callsUnderWay: false)
        upkeep.listRefused(.tools, until: self.t0 + .seconds(11))
        upkeep.listFinished(.tools, isNew: false, isWhole: false, now: self.t0 + .seconds(10))
        #expect(upkeep.due(now: self.t0 + .seconds(59), callsUnderWay: false).contains(.list(.tools)) == false)
    }

    @Test func `whoever asks anew has been told nothing`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listRefused(.tools, until: self.t0 + .seconds(100))
        upkeep.listFinished(.tools, isNew: false, isWhole: false, now: self.t0)
        upkeep.askAnew(now: self.t0 + .seconds(1))
        upkeep.list(at: self.t0 + .seconds(1), isNew: true, isWhole: true)
        // What waits for its own reasons goes on to.
        upkeep.askAnew(now: self.t0 + .seconds(2))
        #expect(!upkeep.due(now: self.t0 + .seconds(2), callsUnderWay: false).contains(.list(.tools)))
    }

    @Test func `a burst of changes costs one list, and one that comes while it is read another`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listFinished(.tools, isNew: false, isWhole: true, now: self.t0)
        for millisecond in 0..<50 { upkeep.listChanged(.tools, now: self.t0 + .milliseconds(Int64(millisecond))) }
        #expect(upkeep.next == self.t0 + .milliseconds(100))
        #expect(upkeep.due(now: self.t0 + .milliseconds(100), callsUnderWay: false) == [.list(.tools)])
        upkeep.listChanged(.tools, now: self.t0 + .milliseconds(110))
        #expect(upkeep.due(now: self.t0 + .seconds(5), callsUnderWay: false) == [])
        upkeep.listFinished(.tools, isNew: false, isWhole: true, now: self.t0 + .seconds(5))
        #expect(upkeep.next == self.t0 + .milliseconds(5_200))
    }

    @Test func `a list that fails again and again is tried less and less often, up to the interval`() {
        var upkeep = self.connected(ping: .hours(1_000))
        var now = self.t0
        for wait: Int64 in [30, 60, 120, 240, 300, 300] {
            upkeep.list(at: now, isNew: false, isWhole: false)
            #expect(upkeep.next == now + .seconds(wait))
            now = now + .seconds(wait)
        }
        upkeep.list(at: now, isNew: true, isWhole: true)
        #expect(upkeep.next == now + .seconds(300))
        upkeep.list(at: now + .seconds(300), isNew: true, isWhole: false)
        #expect(upkeep.next == now + .seconds(330), "what went well makes up for what went wrong")
    }

    @Test func `a server that says after every list that it has changed is asked less and less often`() {
        var upkeep = self.connected(ping: .hours(1_000))
        var now = self.t0
        var waits: [Int64] = []
        for _ in 0..<16 {
            upkeep.list(at: now, isNew: false, isWhole: true)
            upkeep.listChanged(.tools, now: now)
            let next = upkeep.next ?? now
            waits.append((next - now).nanoseconds / 1_000_000)
            now = next
        }
        #expect(
            waits == [
                100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, 204_800, 300_000, 300_000,
                300_000, 300_000,
            ])
        #expect(upkeep.isMisled(about: .tools))
        upkeep.list(at: now, isNew: true, isWhole: true)
        #expect(!upkeep.isMisled(about: .tools), "it did change")
        upkeep.listChanged(.tools, now: now)
        #expect(upkeep.next == now + .milliseconds(800))
    }

    @Test func `a list that does change is read within a second, and quiet ends all caution`() {
        var upkeep = self.connected(ping: .hours(1_000))
        var now = self.t0
        for _ in 0..<20 {
            upkeep.list(at: now, isNew: true, isWhole: true)
            upkeep.listChanged(.tools, now: now)
            #expect((upkeep.next ?? now) - now <= .milliseconds(800))
            now = upkeep.next ?? now
        }
        #expect(!upkeep.isMisled(about: .tools))
        upkeep.list(at: now, isNew: false, isWhole: true)
        upkeep.list(at: now + .minutes(5), isNew: false, isWhole: true)
        upkeep.listChanged(.tools, now: now + .minutes(6))
        #expect(upkeep.next == now + .minutes(6) + .milliseconds(100))
    }

    @Test func `what a server has no list of is asked for again when it says that it has changed`() {
        var upkeep = self.connected()
        _ = upkeep.due(now: self.t0, callsUnderWay: false)
        upkeep.listAbsent(.tools)
        #expect(upkeep.next == self.t0 + .seconds(60), "a ping")
        upkeep.listChanged(.tools, now: self.t0 + .seconds(1))
        #expect(upkeep.due(now: self.t0 + .seconds(2), callsUnderWay: false) == [.list(.tools)])
    }

    @Test func `an unused upstream is let go, a used one is not`() {
        var upkeep = self.connected(idleStop: .seconds(10), lists: [])
        upkeep.busy(true, now: self.t0 + .seconds(5))
        #expect(upkeep.due(now: self.t0 + .seconds(20), callsUnderWay: false) == [])
        upkeep.busy(false, now: self.t0 + .seconds(21))
        #expect(upkeep.next == self.t0 + .seconds(31))
        #expect(upkeep.due(now: self.t0 + .seconds(31), callsUnderWay: false) == [.unused])
    }

    @Test func `one whose news is waited for is not let go, over all its connections`() {
        var upkeep = self.connected(idleStop: .seconds(10), lists: [])
        upkeep.keep(true, now: self.t0 + .seconds(5))
        #expect(upkeep.due(now: self.t0 + .seconds(59), callsUnderWay: false) == [])
        upkeep.disconnected()
        upkeep.connected(lists: [], now: self.t0 + .seconds(60))
        upkeep.busy(true, now: self.t0 + .seconds(61))
        upkeep.busy(false, now: self.t0 + .seconds(62))
        #expect(upkeep.due(now: self.t0 + .seconds(100), callsUnderWay: false) == [])
        upkeep.keep(false, now: self.t0 + .seconds(101))
        #expect(upkeep.next == self.t0 + .seconds(111))
        #expect(upkeep.due(now: self.t0 + .seconds(111), callsUnderWay: false) == [.unused])
    }

    @Test func `an upstream is not let go while its list is read`() {
        var upkeep = self.connected(idleStop: .seconds(1))
        #expect(upkeep.due(now: self.t0 + .seconds(5), callsUnderWay: false) == [.list(.tools)])
        #expect(upkeep.due(now: self.t0 + .seconds(6), callsUnderWay: false) == [])
        #expect(upkeep.next == self.t0 + .seconds(60))
        upkeep.listFinished(.tools, isNew: false, isWhole: true, now: self.t0 + .seconds(7))
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
        upkeep.listFinished(.tools, isNew: false, isWhole: true, now: self.t0)
        upkeep.listChanged(.tools, now: self.t0)
        #expect(upkeep.due(now: self.t0 + .seconds(2), callsUnderWay: false) == [.list(.tools)])
        upkeep.listFinished(.tools, isNew: false, isWhole: true, now: self.t0 + .seconds(2))
        #expect(upkeep.due(now: self.t0 + .seconds(3), callsUnderWay: false) == [], "prompts are being read")
        upkeep.listFinished(.prompts, isNew: false, isWhole: true, now: self.t0 + .seconds(3))
        #expect(upkeep.due(now: self.t0 + .seconds(3), callsUnderWay: false) == [.unused])
    }
}

extension Upkeep {
    /// Reads the list of tools that is due by then; pings are answered.
    fileprivate mutating func list(
        at now: NIODeadline, isNew: Bool, isWhole: Bool, notBefore early: NIODeadline? = nil
    ) {
        if let early { #expect(!self.due(now: early, callsUnderWay: false).contains(.list(.tools))) }
        let due = self.due(now: now, callsUnderWay: false)
        #expect(due.contains(.list(.tools)))
        _ = self.heard(now: now)
        self.listFinished(.tools, isNew: isNew, isWhole: isWhole, now: now)
    }
}
