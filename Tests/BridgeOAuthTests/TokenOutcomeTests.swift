import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

/// What is done about each answer to a refresh.
@Suite("What an answer to a refresh leads to") struct TokenOutcomeTests {
    /// A refresh is under way.
    private func flying(
        _ settings: OAuthSettings = Fixture.settings(), _ change: (inout OAuthRecord) -> Void = { _ in }
    ) throws -> Watch {
        var watch = try Watch(settings, change)
        #expect(watch.watch(for: 3_000) == .refresh(generation: 1))
        return watch
    }

    private func isFinal(_ action: TokenKeeper.Action, _ phase: OAuthPhase) -> Bool {
        if case .keep(.verdict(let verdict?, _)) = action { verdict.phase == phase } else { false }
    }

    @Test func `what was not sent is sent again, ever more slowly, up to 5 minutes, and never without a pause`() throws
    {
        var watch = try self.flying()
        for round in 0..<1_000 {
            #expect(watch.hear(.failed("no connection", sent: false)) == .none)
            #expect(watch.report.phase == .retrying && watch.report.reason?.contains("no connection") == true)
            #expect(watch.delay >= 0.5 && watch.delay <= 300)
            if round > 12 { #expect(watch.delay >= 150) }
            watch.pass(watch.delay + 0.01)
            #expect(watch.keeper.tick(watch.now) == .refresh(generation: 1))
        }
        #expect(watch.keeper.record.tokens == Fixture.tokens())
    }

    @Test func `a lost answer is asked for soon: after 1 to 3, 10 and 30 seconds, then slowly`() throws {
        var watch = try self.flying()
        for (low, high) in [(1.0, 3.0), (10, 10), (30, 30)] {
            #expect(watch.hear(.failed("closed", sent: true)) == .none)
            #expect(watch.delay >= low && watch.delay <= high)
            watch.pass(watch.delay + 0.01)
            #expect(watch.keeper.tick(watch.now) == .refresh(generation: 1))
        }
        for _ in 0..<20 { _ = watch.hear(.failed("closed", sent: true)) }
        #expect(watch.delay > 100)
    }

    @Test func `minutes of 500 and pages change nothing but the state's words, and patience is honoured`() throws {
        var watch = try self.flying()
        #expect(watch.hear(Fixture.reply(503, "", ["Retry-After": "200"])) == .none)
        #expect(watch.delay >= 200)
        for round in 1...6 {
            #expect(watch.hear(400, "<html>Sign in to the Wi-Fi</html>") == .none)
            #expect(watch.report.reason?.contains("answers HTML") == (round >= 5))
        }
        #expect(watch.report.phase == .retrying && watch.keeper.record.tokens == Fixture.tokens())
        watch.renew()
        #expect(watch.report.phase == .ok && watch.report.reason == nil)
    }

    @Test func `a redirect says where it leads`() throws {
        var watch = try self.flying()
        #expect(watch.hear(Fixture.reply(302, "", ["Location": "https://login.example/"])) == .none)
        #expect(watch.report.reason?.contains("https://login.example/") == true)
    }

    @Test func `a refused refresh token is asked for again after 5 seconds, and at the end of the token that there is`()
        throws
    {
        var watch = try self.flying()
        let no = #"{"error":"invalid_grant","error_description":"revoked"}"#
        #expect(watch.hear(400, no) == .none)
        #expect(abs(watch.delay - 5) < 0.01 && watch.report.phase == .retrying)
        #expect(watch.watch(for: 6) == .refresh(generation: 1))
        #expect(watch.hear(400, no) == .none)
        #expect(watch.credential == .token(Secret("at-1"), generation: 1))
        #expect(watch.watch(for: 3_600) == .refresh(generation: 1))
        #expect(watch.now.wall >= Fixture.now.wall + 3_600)
        #expect(self.isFinal(watch.hear(400, no), .signInNeeded))
        #expect(watch.report.reason?.contains("revoked") == true)
        guard case .refuse = watch.credential else { return #expect(Bool(false)) }
        #expect(watch.keeper.record.tokens == Fixture.tokens())
        // By itself it is doubted once a day.
        #expect(watch.watch(for: 86_000) == .none)
        #expect(watch.watch(for: 500) == .refresh(generation: 1))
    }

    @Test func `a broker's fault that looks like a refusal is over with the next answer`() throws {
        var watch = try self.flying()
        _ = watch.hear(400, #"{"error":"invalid_grant"}"#)
        _ = watch.watch(for: 6)
        watch.renew()
        #expect(watch.report.phase == .ok)
    }

    @Test func `a verdict of an earlier life is doubted once after a restart`() throws {
        var watch = try Watch {
            $0.verdict = OAuthRecord.Verdict(phase: .signInNeeded, reason: "gone", since: 1)
        }
        #expect(watch.report.phase == .signInNeeded && watch.report.reason == "gone")
        #expect(watch.credential == .token(Secret("at-1"), generation: 1))
        #expect(watch.watch(for: 5) == .refresh(generation: 1))
        #expect(self.isFinal(watch.hear(400, #"{"error":"invalid_grant"}"#), .signInNeeded))
        #expect(watch.watch(for: 80_000) == .none)
    }

    @Test func `a client of our own that is not known is asked again after a minute, then somebody has to sign in`()
        throws
    {
        var watch = try self.flying()
        #expect(watch.hear(401, #"{"error":"invalid_client"}"#) == .none)
        #expect(abs(watch.delay - 60) < 0.01)
        #expect(watch.watch(for: 61) == .refresh(generation: 1))
        guard case .keep(let change) = watch.hear(401, #"{"error":"invalid_client"}"#),
            case .clientRefused(let verdict, 1) = change
        else { return #expect(Bool(false)) }
        #expect(verdict.phase == .signInNeeded && watch.report.phase == .signInNeeded)
        // Whoever signs in then does so as another client.
        #expect(watch.keeper.record.registrations.map(\.isDoubtful) == [true])
        var kept = try Fixture.record()
        change.apply(to: &kept, now: watch.now.wall)
        #expect(kept == watch.keeper.record)
    }

    @Test func `a configured client that is refused is a wrong configuration`() throws {
        var watch = try self.flying(Fixture.settings { $0.clientID = "abc" })
        #expect(self.isFinal(watch.hear(401, #"{"error":"invalid_client"}"#), .misconfigured))
        #expect(watch.report.phase == .misconfigured)
    }

    @Test(arguments: ["unauthorized_client", "unsupported_grant_type"])
    func `where there is no refreshing, the token is used to its end, which is said in advance`(code: String) throws {
        var watch = try self.flying()
        #expect(watch.hear(400, #"{"error":"\#(code)"}"#) == .none)
        #expect(watch.report.phase == .ok && watch.report.notes.contains { $0.contains("sign-in is needed again at") })
        let action = watch.watch(for: 3_700)
        #expect(self.isFinal(action, .signInNeeded))
        #expect(watch.now.wall >= Fixture.now.wall + 3_600)
    }

    @Test(arguments: [
        "interaction_required", "login_required", "consent_required", "access_denied", "invalid_scope",
        "invalid_target",
    ])
    func `what nobody but a person can answer is final`(code: String) throws {
        var watch = try self.flying()
        #expect(self.isFinal(watch.hear(400, #"{"error":"\#(code)"}"#), .signInNeeded))
    }

    @Test func `what is unclear is asked again every 15 minutes, and nothing is forgotten`() throws {
        var watch = try self.flying()
        #expect(watch.hear(400, #"{"error":"invalid_request"}"#) == .none)
        #expect(abs(watch.delay - 900) < 0.01 && watch.report.reason?.hasPrefix("refused: ") == true)
        #expect(watch.watch(for: 901) == .refresh(generation: 1))
    }

    @Test func `an endpoint that has moved is looked for once`() throws {
        var watch = try self.flying()
        #expect(watch.hear(404) == .rediscover)
        let found = try Fixture.found()
        #expect(watch.keeper.rediscovered(.success(found), now: watch.now, draw: 0.5) == .keep(.rediscovered(found)))
        #expect(watch.watch(for: 3) == .refresh(generation: 1))
        #expect(watch.hear(404) == .none)
        #expect(watch.report.phase == .retrying)
    }

    @Test func `metadata that is gone is no reason to give up`() throws {
        var watch = try self.flying()
        _ = watch.hear(404)
        let action = watch.keeper.rediscovered(.failure(.transient("500", retryAfter: 40)), now: watch.now, draw: 0)
        #expect(action == .none && watch.delay >= 40 && watch.report.phase == .retrying)
    }

    @Test func `a state that cannot be read or written says nothing about the tokens`() throws {
        var watch = try self.flying()
        #expect(watch.keeper.flew(.storeTrouble("no space left"), now: watch.now, draw: 0) == .none)
        #expect(watch.report.phase == .retrying && watch.report.reason?.contains("no space left") == true)
        #expect(watch.credential == .token(Secret("at-1"), generation: 1))
    }

    @Test func `tokens that another process has refreshed are used`() throws {
        var watch = try self.flying()
        var other = try Fixture.record { $0.generation = 7 }
        other.tokens?.access = Secret("theirs")
        #expect(watch.keeper.flew(.adopted(other), now: watch.now, draw: 0) == .none)
        #expect(watch.credential == .token(Secret("theirs"), generation: 7))
    }

    @Test func `while another process is at it, the token that there is goes on`() throws {
        var watch = try self.flying()
        _ = watch.keeper.flew(.busy("process 7"), now: watch.now, draw: 0)
        #expect(watch.report.holder == "process 7" && watch.credential == .token(Secret("at-1"), generation: 1))
        #expect(watch.watch(for: 5) == .refresh(generation: 1))
    }

    @Test func `new tokens that the disk does not take are used from memory, loudly`() throws {
        var watch = try self.flying()
        var record = try Fixture.record { $0.generation = 2 }
        record.tokens?.access = Secret("at-2")
        _ = watch.keeper.flew(.unsaved(record, "no space left"), now: watch.now, draw: 0)
        #expect(watch.keeper.isUnsaved && watch.credential == .token(Secret("at-2"), generation: 2))
        #expect(watch.report.notes.contains { $0.contains("no space left") })
        #expect(watch.keeper.unsaved?.generation == 2)
        watch.keeper.saved()
        #expect(watch.report.notes.isEmpty && watch.keeper.unsaved == nil)
    }

    @Test func `tokens in memory are over with newer ones, whoever has got those`() throws {
        var watch = try self.flying()
        _ = watch.keeper.flew(.unsaved(try Fixture.record { $0.generation = 2 }, "full"), now: watch.now, draw: 0)
        var signedIn = watch
        let newer = try Fixture.record { $0.generation = 3 }
        signedIn.keeper.replaced(by: newer, now: watch.now, draw: 0)
        _ = watch.keeper.flew(.adopted(newer), now: watch.now, draw: 0)
        for each in [watch, signedIn] { #expect(each.keeper.unsaved == nil && each.report.notes.isEmpty) }
    }

    @Test func `patience for the sake of a token ends when the server refuses it`() throws {
        var watch = try self.flying()
        let no = #"{"error":"invalid_grant"}"#
        _ = watch.hear(400, no)
        _ = watch.watch(for: 6)
        _ = watch.hear(400, no)
        #expect(watch.delay > 100, "its end is waited for")
        let (refusal, action) = watch.keeper.refused(generation: 1, watch.now)
        #expect(refusal == .wait && action == .refresh(generation: 1))
        #expect(self.isFinal(watch.hear(400, no), .signInNeeded))
    }
}
