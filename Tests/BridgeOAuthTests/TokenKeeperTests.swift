import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

/// A keeper and its two clocks.
struct Watch {
    var keeper: TokenKeeper
    var now = Fixture.now

    init(_ settings: OAuthSettings = Fixture.settings(), _ change: (inout OAuthRecord) -> Void = { _ in }) throws {
        self.keeper = TokenKeeper(try Fixture.record(change), settings: settings, now: self.now, draw: 0.5)
    }

    mutating func pass(_ seconds: Double) { self.now = self.now.adding(seconds) }

    /// - Returns: what it does when it is asked each 15 seconds, until it does something.
    mutating func watch(for seconds: Double) -> TokenKeeper.Action {
        let end = self.now.adding(seconds)
        while self.now.steady < end.steady {
            self.pass(min(15, self.keeper.deadline?.left(from: self.now) ?? 15, end.steady - self.now.steady) + 0.001)
            let action = self.keeper.tick(self.now)
            if action != .none { return action }
        }
        return .none
    }

    mutating func hear(_ status: Int, _ body: String = "") -> TokenKeeper.Action {
        self.hear(Fixture.reply(status, body))
    }

    mutating func hear(_ answer: WebAnswer) -> TokenKeeper.Action {
        self.keeper.flew(.verdict(TokenVerdict.of(answer, now: self.now)), now: self.now, draw: 0.5)
    }

    mutating func renew(_ life: Double? = 3_600) {
        var record = self.keeper.record
        record.generation += 1
        record.tokens?.access = Secret("at-\(record.generation)")
        record.tokens?.issued = self.now.wall
        record.tokens?.expires = life.map { self.now.wall + $0 }
        record.verdict = nil
        _ = self.keeper.flew(.refreshed(record), now: self.now, draw: 0.5)
    }

    /// The token of the hour is refused, and nobody has another one.
    mutating func seeNothingNew() {
        let (refusal, action) = self.keeper.refused(generation: self.keeper.record.generation, self.now)
        #expect(refusal == .wait && action == .reread)
        #expect(self.keeper.reread(self.keeper.record, now: self.now, draw: 0.5) == .rediscover)
    }

    var report: OAuthReport { self.keeper.report(self.now) }
    var credential: TokenKeeper.Credential { self.keeper.credential(self.now) }
    var delay: Double { self.keeper.deadline?.left(from: self.now) ?? -1 }
}

@Suite("When a token is refreshed") struct TokenKeeperTests {
    @Test(arguments: [(0.0, 2_700.0), (0.5, 2_880.0), (1.0, 3_060.0)])
    func `a token is refreshed between 75 and 85 % of its life`(draw: Double, due: Double) {
        let schedule = RefreshSchedule(issued: 0, expires: 3_600, now: Moment(wall: 0, steady: 0), draw: draw)
        #expect(abs((schedule.due?.wall ?? 0) - due) < 0.001 && schedule.end?.wall == 3_600)
    }

    @Test func `a short one is refreshed at half its life, and never twice within 5 seconds`() {
        let now = Moment(wall: 0, steady: 0)
        #expect(RefreshSchedule(issued: 0, expires: 30, now: now, draw: 1).due?.wall == 15)
        #expect(RefreshSchedule(issued: 0, expires: 4, now: now, draw: 1).due?.wall == 5)
        #expect(RefreshSchedule(issued: 0, expires: nil, now: now, draw: 1).due == nil)
    }

    @Test func `it is refreshed though nobody calls, once, and then in good time again`() throws {
        var watch = try Watch()
        #expect(watch.watch(for: 2_800) == .none)
        #expect(watch.report.phase == .ok)
        #expect(watch.watch(for: 100) == .refresh(generation: 1))
        #expect(watch.report.phase == .due)
        #expect(watch.watch(for: 500) == .none)
        watch.renew()
        #expect(watch.report.phase == .ok)
        #expect(watch.watch(for: 2_800) == .none)
        #expect(watch.watch(for: 100) == .refresh(generation: 2))
    }

    @Test func `a machine that slept for 8 hours refreshes within 20 seconds of waking up, once`() throws {
        var watch = try Watch()
        watch.now = Moment(wall: watch.now.wall + 8 * 3_600, steady: watch.now.steady + 10)
        #expect(watch.credential == .token(Secret("at-1"), generation: 1) || watch.credential == .wait)
        #expect(watch.watch(for: 16) == .refresh(generation: 1))
        #expect(watch.watch(for: 60) == .none)
        watch.renew()
        #expect(watch.watch(for: 2_700) == .none)
    }

    @Test func `a clock that is set back delays nothing, and one that is set ahead for an hour does so once`() throws {
        var back = try Watch()
        back.now.wall -= 8 * 3_600
        #expect(back.watch(for: 2_900) == .refresh(generation: 1))
        var ahead = try Watch()
        ahead.now.wall += 1_000
        _ = ahead.keeper.tick(ahead.now)
        #expect(ahead.watch(for: 1_900) == .refresh(generation: 1))
    }

    @Test func `a token without a known life is used until it is refused`() throws {
        var watch = try Watch { $0.tokens?.expires = nil }
        #expect(watch.watch(for: 90_000) == .none)
        let (refusal, action) = watch.keeper.refused(generation: 1, watch.now)
        #expect(refusal == .wait && action == .refresh(generation: 1))
    }

    @Test func `requests have the old token while it is good, and wait when it is over`() throws {
        var watch = try Watch()
        _ = watch.watch(for: 3_000)
        #expect(watch.credential == .token(Secret("at-1"), generation: 1))
        watch.pass(1_000)
        #expect(watch.credential == .wait && watch.keeper.wanted(watch.now) == .none)
        watch.renew()
        #expect(watch.credential == .token(Secret("at-2"), generation: 2))
    }

    @Test func `a hundred requests at the end of a token cause one refresh`() throws {
        var watch = try Watch()
        watch.pass(3_700)
        let actions = (0..<100).map { _ in watch.keeper.wanted(watch.now) }
        #expect(actions.filter { $0 != .none } == [.refresh(generation: 1)])
        watch.renew()
        watch.pass(100)
        let refusals = (0..<100).map { _ in watch.keeper.refused(generation: 2, watch.now) }
        #expect(refusals.filter { $0.1 != .none }.count == 1 && refusals.allSatisfy { $0.0 == .wait })
    }

    // MARK: Ends

    @Test func `a refresh token that ends sooner is used before that`() {
        let now = Moment(wall: 0, steady: 0)
        func due(_ expires: Double?, _ refreshExpires: Double?) -> Double? {
            RefreshSchedule(issued: 0, expires: expires, refreshExpires: refreshExpires, now: now, draw: 0).due?.wall
        }
        #expect(
            due(36_000, 1_000) == 750 && due(1_000, 36_000) == 750 && due(nil, 1_000) == 750 && due(nil, nil) == nil)
        let schedule = RefreshSchedule(issued: 0, expires: 3_600, refreshExpires: 100, now: now, draw: 0)
        #expect(schedule.end?.wall == 3_600)
    }

    @Test
    func
        `a fresh token that is refused while another process refreshes it is waited for, and is not the server's fault`()
        throws
    {
        var watch = try Watch()
        watch.renew(10)
        #expect(watch.watch(for: 6) == .refresh(generation: 2))
        #expect(watch.keeper.flew(.busy("process 7"), now: watch.now, draw: 0.5) == .none)
        let (refusal, action) = watch.keeper.refused(generation: 2, watch.now)
        #expect(refusal == .wait && action == .none && watch.credential == .wait)
        #expect(watch.report.phase != .refused && watch.delay < 2)
        #expect(watch.watch(for: 3) == .refresh(generation: 2))
        var newer = watch.keeper.record
        newer.generation = 3
        newer.tokens?.access = Secret("at-3")
        newer.tokens?.expires = watch.now.wall + 10
        #expect(watch.keeper.flew(.adopted(newer), now: watch.now, draw: 0.5) == .none)
        #expect(watch.credential == .token(Secret("at-3"), generation: 3))
    }

    @Test func `without a refresh token a refusal means that somebody has to sign in, and is written down`() throws {
        var watch = try Watch { $0.tokens?.refresh = nil }
        #expect(watch.report.notes.contains { $0.contains("sign-in is needed again") })
        let (refusal, action) = watch.keeper.refused(generation: 1, watch.now)
        guard case .refuse(let words) = refusal, case .keep(.verdict(let verdict?, 1)) = action else {
            return #expect(Bool(false))
        }
        #expect(words.hasPrefix("sign-in needed") && verdict.phase == .signInNeeded)
        guard case .refuse = watch.credential else { return #expect(Bool(false)) }
    }

    @Test func `a server that wants a token when there is none says so, and is asked without one all the same`() throws
    {
        var watch = try Watch { $0.tokens = nil }
        #expect(watch.report.phase == .none && watch.credential == .none)
        guard case .refuse(let words) = watch.keeper.challenged(watch.now) else { return #expect(Bool(false)) }
        #expect(words.contains("mcp-bridge auth github") && watch.report.phase == .signInNeeded)
        #expect(watch.credential == .none)
        watch.keeper.accepted(generation: -1)
        #expect(watch.report.phase == .none)
    }

    // MARK: More rights

    @Test
    func `a call that lacked rights leads to one wish, not to one at each call, and never to more than three a day`()
        throws
    {
        var watch = try Watch()
        guard
            case .keep(.wanted(["a", "b", "c"], operation: "tools/call", _)) = watch.keeper.lacked(
                "c", operation: "tools/call", watch.now)
        else { return #expect(Bool(false)) }
        #expect(watch.keeper.lacked("c", operation: "tools/call", watch.now) == .none)
        #expect(watch.report.phase == .signInNeeded && watch.credential == .token(Secret("at-1"), generation: 1))
        #expect(watch.keeper.lacked("a b", operation: "x", watch.now) == .none)
        for scope in ["d", "e", "f", "g"] { _ = watch.keeper.lacked(scope, operation: "tools/call", watch.now) }
        #expect(watch.keeper.record.stepUps.count == 3)
    }
}
