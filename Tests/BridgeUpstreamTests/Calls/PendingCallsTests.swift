import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Pending calls") struct PendingCallsTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private func add(_ calls: inout PendingCalls<String>, _ caller: String, octets: Int = 10, seconds: Int64 = 300)
        -> Int?
    {
        calls.add(caller, octets: octets, timeout: .seconds(seconds), now: self.t0)
    }

    private func name(_ answer: PendingCalls<String>.Answer) -> String {
        switch answer {
        case .call(let call): call.caller
        case .late: "late"
        case .duplicate: "duplicate"
        case .unknown: "unknown"
        }
    }

    @Test func `calls are written in their order, each once, and answered in any`() throws {
        var calls = PendingCalls<String>()
        let a = try #require(self.add(&calls, "a"))
        let b = try #require(self.add(&calls, "b"))
        #expect(a != b)
        #expect(calls.write()?.caller == "a")
        #expect(calls.write()?.caller == "b")
        #expect(calls.write() == nil)
        #expect(calls.writtenCount == 2)
        #expect(self.name(calls.answered(b)) == "b")
        #expect(self.name(calls.answered(a)) == "a")
        #expect(calls.count == 0)
    }

    @Test func `an answer is believed once, and only to what was asked`() throws {
        var calls = PendingCalls<String>()
        let own = calls.reserveID()
        let a = try #require(self.add(&calls, "a"))
        #expect(self.name(calls.answered(a)) == "unknown", "not written yet")
        _ = calls.write()
        #expect(self.name(calls.answered(a)) == "a")
        #expect(self.name(calls.answered(a)) == "duplicate")
        #expect(self.name(calls.answered(own)) == "duplicate")
        for id in [0, -1, a + 1, .max, .min] { #expect(self.name(calls.answered(id)) == "unknown") }
    }

    @Test func `a late answer to a cancelled call is no mistake, a second one is`() throws {
        var calls = PendingCalls<String>()
        let a = try #require(self.add(&calls, "a"))
        _ = calls.write()
        #expect(calls.cancel(a) == true)
        #expect(calls.cancel(a) == nil)
        #expect(self.name(calls.answered(a)) == "late")
        #expect(self.name(calls.answered(a)) == "duplicate")
    }

    @Test func `a call that is cancelled before it is written is never written`() throws {
        var calls = PendingCalls<String>()
        let a = try #require(self.add(&calls, "a"))
        _ = try #require(self.add(&calls, "b"))
        #expect(calls.cancel(a) == false)
        #expect(calls.write()?.caller == "b")
        #expect(calls.write() == nil)
        #expect(!calls.hasWaiting)
    }

    @Test func `no more waits than the bounds allow`() throws {
        var calls = PendingCalls<String>()
        for _ in 0..<PendingCalls<String>.maximumWaiting { #expect(self.add(&calls, "a") != nil) }
        #expect(self.add(&calls, "one too many") == nil)
        _ = calls.write()
        #expect(self.add(&calls, "room again") != nil)

        var large = PendingCalls<String>()
        #expect(self.add(&large, "alone", octets: 60 << 20) != nil)
        #expect(self.add(&large, "behind it", octets: 1) == nil)
        _ = large.write()
        #expect(self.add(&large, "after it", octets: 8 << 20) != nil)
        #expect(self.add(&large, "one byte too many", octets: 1) == nil)
    }

    @Test func `cancelled calls take no room`() throws {
        var calls = PendingCalls<String>()
        for _ in 0..<10_000 {
            let id = try #require(self.add(&calls, "a"))
            _ = calls.cancel(id)
        }
        #expect(self.add(&calls, "b") != nil)
        #expect(calls.write()?.caller == "b")
    }

    @Test func `a lost connection takes the written calls and leaves the waiting ones`() throws {
        var calls = PendingCalls<String>()
        for caller in ["a", "b", "c"] { _ = self.add(&calls, caller) }
        _ = calls.write()
        #expect(calls.connectionLost().map(\.caller) == ["a"])
        #expect(calls.giveUpWaiting().map(\.caller) == ["b", "c"])
        #expect(calls.count == 0)
        #expect(!calls.hasWaiting)
        #expect(calls.write() == nil)
        #expect(self.add(&calls, "d") != nil)
        #expect(calls.write()?.caller == "d")
    }

    @Test(arguments: [false, true])
    func `an id that comes again on another connection is written once`(isCancelled: Bool) throws {
        var calls = PendingCalls<String>()
        calls.begin(idsBehind: 7)
        let id = try #require(self.add(&calls, "gone"))
        if isCancelled { _ = calls.cancel(id) } else { _ = calls.giveUpWaiting() }
        calls.begin(idsBehind: 7)
        #expect(self.add(&calls, "new") == id)
        #expect(calls.write()?.caller == "new" && calls.write() == nil)
    }

    @Test func `of the waiting ones those can be told alone whose time is over by then`() throws {
        var calls = PendingCalls<String>()
        for (caller, seconds) in [("a", 10), ("b", 3), ("c", 5)] {
            _ = try #require(self.add(&calls, caller, seconds: Int64(seconds)))
        }
        _ = calls.write()
        #expect(calls.giveUpWaiting(until: self.t0 + .seconds(4)).map(\.caller) == ["b"])
        #expect(calls.write()?.caller == "c" && calls.write() == nil && calls.count == 2)
    }

    @Test func `one lost call is over, and leaves the others where they are`() throws {
        var calls = PendingCalls<String>()
        let a = try #require(self.add(&calls, "a"))
        let b = try #require(self.add(&calls, "b"))
        _ = calls.write()
        #expect(calls.lost(b) == nil, "not written yet")
        #expect(calls.lost(a)?.caller == "a")
        #expect(calls.lost(a) == nil)
        #expect(calls.lost(99) == nil)
        #expect(self.name(calls.answered(a)) == "duplicate")
        #expect(calls.write()?.caller == "b")
        #expect(calls.writtenCount == 1)
    }

    @Test func `time runs out for each call on its own, and progress gives it anew`() throws {
        var calls = PendingCalls<String>()
        let a = try #require(self.add(&calls, "a", seconds: 10))
        let b = try #require(self.add(&calls, "b", seconds: 20))
        _ = calls.write()
        #expect(calls.nextDeadline == self.t0 + .seconds(10))
        #expect(calls.progressed(b, now: self.t0) == nil, "not written yet")
        #expect(calls.progressed(a, now: self.t0 + .seconds(9)) == "a")
        #expect(calls.expire(now: self.t0 + .seconds(18)).isEmpty)
        #expect(calls.nextDeadline == self.t0 + .seconds(19))
        let expired = calls.expire(now: self.t0 + .seconds(20))
        #expect(expired.map(\.id) == [a, b])
        #expect(expired.map(\.call.isWritten) == [true, false])
        #expect(calls.nextDeadline == nil)
        #expect(self.name(calls.answered(a)) == "late")
        #expect(calls.progressed(a, now: self.t0) == nil)
    }

    @Test func `the only written call is known as long as it is the only one`() throws {
        var calls = PendingCalls<String>()
        _ = self.add(&calls, "a")
        _ = self.add(&calls, "b")
        #expect(calls.onlyWritten?.caller == nil)
        _ = calls.write()
        #expect(calls.onlyWritten?.caller == "a")
        _ = calls.write()
        #expect(calls.onlyWritten?.caller == nil)
    }

    @Test func `ids lie behind the number that a connection begins with`() throws {
        var calls = PendingCalls<String>()
        calls.begin(idsBehind: 1_000)
        #expect(calls.reserveID() == 1_001)
        let a = try #require(self.add(&calls, "a"))
        #expect(a == 1_002)
        _ = calls.write()
        #expect(calls.isUnderWay(a) && !calls.isUnderWay(1_001))
        for id in [1, 999, 1_000, 1_003] { #expect(self.name(calls.answered(id)) == "unknown") }
        #expect(self.name(calls.answered(a)) == "a")
        #expect(!calls.isUnderWay(a))
    }

    @Test func `a call that waits for another connection keeps its id, which no other gets`() throws {
        var calls = PendingCalls<String>()
        calls.begin(idsBehind: 500)
        let written = try #require(self.add(&calls, "written"))
        let waiting = try #require(self.add(&calls, "waiting"))
        _ = calls.write()
        #expect(calls.connectionLost().map(\.caller) == ["written"])
        calls.begin(idsBehind: waiting - 2)
        #expect(calls.reserveID() == written)
        #expect(calls.reserveID() == waiting + 1)
        #expect(calls.write()?.id == waiting)
        #expect(self.name(calls.answered(waiting)) == "waiting")
        #expect(self.name(calls.answered(waiting)) == "duplicate")
    }

    @Test func `what was given up on one connection is not expected on the next`() throws {
        var calls = PendingCalls<String>()
        let a = try #require(self.add(&calls, "a"))
        _ = calls.write()
        _ = calls.cancel(a)
        calls.begin(idsBehind: 100)
        #expect(self.name(calls.answered(a)) == "unknown")
    }
}
