import BridgeAccess
import NIOCore
import NIOEmbedded
import Testing

@testable import BridgeFront

@Suite("The desk that counts") struct LimitDeskTests {
    private let loop = EmbeddedEventLoop()
    private let store = StoreInPlace()
    private static let second: Int64 = 1_000_000
    private static let now: Int64 = 1_700_000_000 * second

    private func desk() -> LimitDesk { LimitDesk(self.store, loop: self.loop, rate: nil) }

    private func holder(_ limits: TokenLimits) throws -> TokenHolder {
        TokenHolder(
            Token(
                id: .random(), name: "t", scope: try TokenScope("mcp"), limits: limits, created: 1,
                hash: TokenKey.random().hash(.random())), until: nil)
    }

    private static func word(_ verdict: LimitDesk.Verdict) -> String {
        switch verdict {
        case .granted: "granted"
        case .refused(let refusal): refusal.code
        case .waits: "waits"
        }
    }

    @Test func `a clock that is set back while somebody waits makes nobody wait for it`() throws {
        let desk = self.desk()
        let holder = try self.holder(TokenLimits(rate: try TokenRate("60/min")))
        self.store.clock = { Self.now }
        let later = Self.now + 3_600 * Self.second
        #expect(Self.word(desk.admit(1, holder, arrival: later, now: later)) == "waits")
        self.loop.run()
        // What was taken by the time that it is now is there for whoever came when it was later.
        #expect(Self.word(desk.admit(1, holder, arrival: later, now: Self.now)) == "granted")
    }

    @Test func `what was taken for somebody is not lost because the store was slow`() throws {
        let desk = self.desk()
        let holder = try self.holder(TokenLimits(rate: try TokenRate("1000/s")))
        self.store.clock = { Self.now }
        #expect(Self.word(desk.admit(1, holder, now: Self.now)) == "waits")
        self.loop.run()
        let late = Self.now + 2 * Self.second
        #expect(Self.word(desk.admit(1, holder, arrival: Self.now, now: late)) == "granted")
        #expect(Self.word(desk.admit(1, holder, now: late)) == "waits")
    }

    @Test func `a clock that is set back after the store has failed makes nobody wait longer for the next attempt`()
        throws
    {
        let desk = self.desk()
        let holder = try self.holder(TokenLimits(rate: try TokenRate("60/min")))
        self.store.trouble = StoreTrouble(.locked, "Another program holds it.")
        #expect(Self.word(desk.admit(1, holder)) == "waits")
        self.loop.run()
        let now = WallClock.microseconds()
        #expect(Self.word(desk.admit(1, holder, now: now)) == "limits_unwritable")
        #expect(Self.word(desk.admit(1, holder, now: now - 3_600 * Self.second)) == "waits")
    }

    @Test func `an answer is told to those that wait for it alone`() throws {
        let desk = self.desk()
        self.store.leases = []
        self.store.clock = { Self.now }
        var told: [Int] = []
        for number in 0..<2 {
            let holder = try self.holder(TokenLimits(rate: try TokenRate("60/min")))
            guard case .waits(let turn) = desk.admit(1, holder, now: Self.now) else { continue }
            turn.wait { told.append(number) }
        }
        let leases = self.store.leases ?? []
        #expect(leases.count == 2)
        leases.last?()
        self.loop.run()
        #expect(told == [1])
    }

    @Test func `a crowd that waits for leases of one costs each of them a few words, and none of them its turn`() throws
    {
        let desk = self.desk()
        let holder = try self.holder(TokenLimits(budget: try TokenBudget("99requests/day")))
        var asked = 0
        var passed: [Int] = []
        func ask(_ number: Int) {
            asked += 1
            switch desk.admit(1, holder, arrival: Self.now, now: Self.now) {
            case .granted: passed.append(number)
            case .refused: break
            case .waits(let turn): turn.wait { ask(number) }
            }
        }
        for number in 0..<90 { ask(number) }
        self.loop.run()
        #expect(passed == Array(0..<90))
        #expect(asked <= 3 * 90)
    }

    @Test func `one that asks for more of a day than is left takes nothing of it from others`() throws {
        let desk = self.desk()
        let holder = try self.holder(TokenLimits(budget: try TokenBudget("1000tokens/day")))
        self.store.budget = 900
        #expect(Self.word(desk.admit(1, holder, usage: 5_000, now: Self.now)) == "waits")
        self.loop.run()
        #expect(Self.word(desk.admit(1, holder, usage: 5_000, now: Self.now)) == "budget_spent")
        #expect(self.store.budget == 900)
        #expect(Self.word(desk.admit(1, holder, usage: 50, now: Self.now)) == "waits")
        self.loop.run()
        #expect(Self.word(desk.admit(1, holder, usage: 50, now: Self.now)) == "granted")
        #expect(self.store.budget == 850)
    }

    @Test func `what was counted of a token is forgotten with it`() throws {
        let desk = self.desk()
        let holder = try self.holder(TokenLimits(budget: try TokenBudget("10requests/day")))
        _ = desk.admit(1, holder, now: Self.now)
        self.loop.run()
        #expect(Self.word(desk.admit(1, holder, now: Self.now)) == "granted")
        desk.keepCounting(TokenTable(key: .random()))
        #expect(Self.word(desk.admit(1, holder, now: Self.now)) == "waits")
    }
}
