import NIOCore
import Testing

@testable import BridgeUpstream

/// When an upstream that says nothing counts as hung. Pings are a minute apart and have 30 s, calls have what they say.
@Suite("Silence of an upstream") struct SilenceTests {
    /// The two machines side by side, as ``Lane`` drives them, in seconds from the connection.
    private struct Desk {
        private static let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

        private var upkeep = Upkeep(.init(refresh: .hours(24), ping: .seconds(60), pingTimeout: .seconds(30)))
        private var calls = PendingCalls<Int>()
        private(set) var now = 0
        private(set) var tasks: [String] = []
        private(set) var written: [Int] = []
        private(set) var timedOut: [Int] = []
        private(set) var neverWritten: [Int] = []

        init() { self.upkeep.connected(lists: [], now: Self.t0) }

        private var time: NIODeadline { Self.t0 + .seconds(Int64(self.now)) }
        var isSilent: Bool { self.upkeep.isSilent }
        var isMute: Bool { self.tasks.contains { $0.hasPrefix("mute") } }
        var waiting: Int { self.calls.count - self.calls.writtenCount }

        mutating func run(until end: Int) {
            while self.now < end, !self.isMute {
                self.now += 1
                self.tick()
            }
        }

        private mutating func tick() {
            for (id, call) in self.calls.expire(now: self.time) {
                if call.isWritten { self.timedOut.append(id) } else { self.neverWritten.append(id) }
            }
            let due = self.upkeep.due(now: self.time, callsUnderWay: self.calls.writtenCount > 0)
            self.tasks += due.map { "\($0) at \(self.now)" }
        }

        mutating func call(limit: Int64) -> Int {
            let id = self.calls.add(self.now, octets: 10, timeout: .seconds(limit), now: self.time) ?? 0
            self.drain()
            return id
        }

        private mutating func drain() {
            while !self.upkeep.isSilent, let (id, _) = self.calls.write() { self.written.append(id) }
        }

        /// - Returns: whether the upstream has to be told.
        mutating func cancel(_ id: Int) -> Bool? {
            defer { self.tick() }
            return self.calls.cancel(id)
        }

        mutating func progress(_ id: Int) {
            self.hear()
            _ = self.calls.progressed(id, now: self.time)
        }

        mutating func answer(_ id: Int) {
            _ = self.calls.answered(id)
            self.hear()
        }

        mutating func hear() {
            _ = self.upkeep.heard(now: self.time)
            self.drain()
        }
    }

    @Test func `without a call, a ping that is not answered in time is the end`() {
        var desk = Desk()
        desk.run(until: 1_000)
        #expect(desk.tasks == ["ping at 60", "mute at 90"])
        #expect(!desk.isSilent)
    }

    @Test func `whatever it says after a ping begins the time anew`() {
        var desk = Desk()
        for second in stride(from: 89, to: 1_000, by: 89) {
            desk.run(until: second)
            desk.hear()
        }
        #expect(!desk.isMute)
        #expect(desk.tasks.allSatisfy { $0.hasPrefix("ping") })
    }

    @Test func `what it says before a ping does not answer it`() {
        var desk = Desk()
        desk.run(until: 59)
        desk.hear()
        desk.run(until: 1_000)
        #expect(desk.tasks == ["ping at 60", "mute at 90"])
    }

    @Test func `a call within its limit keeps it, and no call is written meanwhile`() {
        var desk = Desk()
        let long = desk.call(limit: 200)
        desk.run(until: 95)
        #expect(desk.tasks == ["ping at 60", "hold at 90"])
        let other = desk.call(limit: 300)
        #expect(desk.written == [long])
        desk.run(until: 199)
        #expect(!desk.isMute)
        desk.answer(long)
        #expect(!desk.isSilent)
        #expect(desk.written == [long, other])
        #expect(desk.tasks == ["ping at 60", "hold at 90"])
    }

    @Test func `when the last written call has timed out it is mute, and what was held back is still there`() {
        var desk = Desk()
        let calls = [desk.call(limit: 100), desk.call(limit: 120)]
        desk.run(until: 91)
        let held = desk.call(limit: 300)
        desk.run(until: 1_000)
        #expect(desk.tasks == ["ping at 60", "hold at 90", "mute at 120"])
        #expect(desk.timedOut == calls)
        #expect(desk.written == calls)
        #expect(desk.waiting == 1)
        #expect(held > 0)
    }

    @Test func `a call that is written between the ping and its limit counts too`() {
        var desk = Desk()
        _ = desk.call(limit: 100)
        desk.run(until: 89)
        _ = desk.call(limit: 100)
        desk.run(until: 1_000)
        #expect(desk.tasks.last == "mute at 189")
    }

    @Test
    func `when the last written call is cancelled it is mute at once, and nobody asks it to cancel what it never saw`()
    {
        var desk = Desk()
        let long = desk.call(limit: 1_000)
        desk.run(until: 95)
        let held = desk.call(limit: 1_000)
        #expect(desk.cancel(held) == false)
        #expect(!desk.isMute)
        #expect(desk.cancel(long) == true)
        #expect(desk.tasks.last == "mute at 95")
    }

    @Test func `a call that is held back fails by its own limit, unwritten`() {
        var desk = Desk()
        let long = desk.call(limit: 500)
        desk.run(until: 95)
        let short = desk.call(limit: 10)
        desk.run(until: 200)
        #expect(desk.neverWritten == [short])
        desk.answer(long)
        #expect(desk.written == [long])
        #expect(!desk.isMute)
    }

    @Test func `progress keeps a call and its upstream for as long as it comes`() {
        var desk = Desk()
        let long = desk.call(limit: 50)
        for second in stride(from: 40, to: 2_000, by: 40) {
            desk.run(until: second)
            desk.progress(long)
        }
        #expect(desk.timedOut.isEmpty)
        #expect(!desk.isMute)
    }

    @Test(arguments: [1, 7, 29, 60, 200], [1, 2, 5, 10])
    func `a server that hangs under steady calls is mute within the longest limit and a ping`(limit: Int64, every: Int)
    {
        var desk = Desk()
        while !desk.isMute, desk.now < 10_000 {
            _ = desk.call(limit: limit)
            desk.run(until: desk.now + every)
        }
        #expect(desk.isMute)
        #expect(desk.now <= 60 + 30 + Int(limit))
        #expect(desk.neverWritten.count + desk.timedOut.count + desk.waiting > 0)
    }

    @Test func `a server that does one thing at a time is never mute while it works within the limits`() {
        var desk = Desk()
        for _ in 0..<20 {
            let call = desk.call(limit: 300)
            for _ in 0..<3 { _ = desk.call(limit: 300) }
            desk.run(until: desk.now + 200)
            desk.answer(call)
        }
        #expect(!desk.isMute)
        #expect(desk.tasks.contains { $0.hasPrefix("hold") })
    }
}
