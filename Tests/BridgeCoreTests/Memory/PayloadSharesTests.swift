import BridgeCore
import NIOCore
import Testing

@Suite("Shares of a byte budget") struct PayloadSharesTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var shares = PayloadShares<String>(limit: 1_200, patience: .seconds(5))

    @Test mutating func `one caller may hold half of what is free, and others still find room`() {
        for ticket in 1...4 as ClosedRange<UInt64> {
            let verdict = self.shares.ask(ticket, caller: "a", octets: 100, mayWait: false, now: Self.start)
            #expect(verdict == .granted)
        }
        let fifth = self.shares.ask(5, caller: "a", octets: 100, mayWait: false, now: Self.start)
        #expect(fifth == .refused)
        let other = self.shares.ask(6, caller: "b", octets: 400, mayWait: false, now: Self.start)
        #expect(other == .granted)
        #expect(self.shares.held == 800)
    }

    @Test mutating func `a caller alone can have half of everything at once`() {
        let half = self.shares.ask(1, caller: "a", octets: 600, mayWait: false, now: Self.start)
        #expect(half == .granted)
        self.shares.release(caller: "a", octets: 600, now: Self.start)
        let more = self.shares.ask(2, caller: "a", octets: 601, mayWait: true, now: Self.start)
        #expect(more == .refused)
    }

    @Test mutating func `who waits is granted in order when something is let go`() {
        _ = self.shares.ask(1, caller: "a", octets: 400, mayWait: true, now: Self.start)
        let second = self.shares.ask(2, caller: "a", octets: 300, mayWait: true, now: Self.start)
        #expect(second == .waits)
        let third = self.shares.ask(3, caller: "a", octets: 1, mayWait: true, now: Self.start)
        #expect(third == .waits)  // it does not overtake
        let before = self.shares.next(now: Self.start)
        #expect(before == [])
        self.shares.release(caller: "a", octets: 400, now: Self.start)
        let granted = self.shares.next(now: Self.start)
        #expect(granted == [2, 3])
        #expect(self.shares.held == 301)
    }

    @Test mutating func `another caller is not held up by who waits`() {
        _ = self.shares.ask(1, caller: "a", octets: 400, mayWait: true, now: Self.start)
        _ = self.shares.ask(2, caller: "a", octets: 400, mayWait: true, now: Self.start)
        let other = self.shares.ask(3, caller: "b", octets: 300, mayWait: true, now: Self.start)
        #expect(other == .granted)
    }

    @Test mutating func `who waits is refused once nothing of its caller has moved for five seconds`() {
        _ = self.shares.ask(1, caller: "a", octets: 300, mayWait: true, now: Self.start)
        _ = self.shares.ask(2, caller: "a", octets: 100, mayWait: true, now: Self.start)
        _ = self.shares.ask(3, caller: "a", octets: 300, mayWait: true, now: Self.start)
        self.shares.release(caller: "a", octets: 100, now: Self.start + .seconds(4))
        let early = self.shares.expire(now: Self.start + .seconds(8))
        #expect(early == [])
        #expect(self.shares.nextExpiry == Self.start + .seconds(9))
        let refused = self.shares.expire(now: Self.start + .seconds(9))
        #expect(refused == [3])
        #expect(self.shares.waitingCount == 0)
    }

    @Test mutating func `behind what has not moved for five seconds nobody begins to wait`() {
        _ = self.shares.ask(1, caller: "a", octets: 400, mayWait: true, now: Self.start)
        let later = Self.start + .seconds(5)
        let late = self.shares.ask(2, caller: "a", octets: 300, mayWait: true, now: later)
        #expect(late == .refused)
        // Who holds nothing waits for what others hold.
        _ = self.shares.ask(3, caller: "b", octets: 400, mayWait: true, now: later)
        let waits = self.shares.ask(4, caller: "c", octets: 300, mayWait: true, now: later)
        #expect(waits == .waits)
    }

    @Test mutating func `a wish that is withdrawn is not granted`() {
        _ = self.shares.ask(1, caller: "a", octets: 400, mayWait: true, now: Self.start)
        _ = self.shares.ask(2, caller: "a", octets: 400, mayWait: true, now: Self.start)
        self.shares.withdraw(2)
        self.shares.release(caller: "a", octets: 400, now: Self.start)
        let granted = self.shares.next(now: Self.start)
        #expect(granted == [])
        #expect(self.shares.held == 0)
        #expect(self.shares.callerCount == 0)
    }

    @Test func `whatever comes and goes, the budget is never overdrawn and nothing is left behind`() {
        var random = SystemRandomNumberGenerator()
        var shares = PayloadShares<Int>(limit: 1_000, patience: .seconds(5))
        var now = Self.start
        var granted: [(caller: Int, octets: Int)] = []
        var wishes: [UInt64: (caller: Int, octets: Int)] = [:]
        for ticket in 1...20_000 as ClosedRange<UInt64> {
            now = now + .milliseconds(Int64.random(in: 0...300, using: &random))
            let wish = (caller: Int.random(in: 0..<6, using: &random), octets: Int.random(in: 1...700, using: &random))
            switch shares.ask(ticket, caller: wish.caller, octets: wish.octets, mayWait: Bool.random(), now: now) {
            case .granted: granted.append(wish)
            case .waits: wishes[ticket] = wish
            case .refused: break
            }
            if !granted.isEmpty, Bool.random() {
                let gone = granted.remove(at: Int.random(in: 0..<granted.count, using: &random))
                shares.release(caller: gone.caller, octets: gone.octets, now: now)
            }
            for ticket in shares.next(now: now) {
                if let wish = wishes.removeValue(forKey: ticket) { granted.append(wish) }
            }
            for ticket in shares.expire(now: now) { wishes[ticket] = nil }
            if Int.random(in: 0..<10, using: &random) == 0, let withdrawn = wishes.keys.randomElement() {
                wishes[withdrawn] = nil
                shares.withdraw(withdrawn)
            }
            #expect(shares.held == granted.reduce(0) { $0 + $1.octets })
            #expect(shares.held <= 1_000)
            #expect(shares.waitingCount == wishes.count)
        }
        for gone in granted { shares.release(caller: gone.caller, octets: gone.octets, now: now) }
        for ticket in wishes.keys { shares.withdraw(ticket) }
        #expect(shares.callerCount == 0)
    }
}
