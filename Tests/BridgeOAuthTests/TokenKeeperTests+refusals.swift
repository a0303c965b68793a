import BridgeConfiguration
import BridgeCore
import Testing

@testable import BridgeOAuth

/// 401.
extension TokenKeeperTests {
    @Test func `an old token's refusal is answered by the new one, without a refresh`() throws {
        var watch = try Watch()
        watch.renew()
        let (refusal, action) = watch.keeper.refused(generation: 1, watch.now)
        #expect(refusal == .again && action == .none)
    }

    @Test func `a fresh token that is refused is no reason to refresh: it is tried after 1, 5, 15 and 60 minutes`()
        throws
    {
        var watch = try Watch { $0.tokens?.expires = nil }
        _ = watch.keeper.refused(generation: 1, watch.now)
        for (round, minutes) in [1.0, 5, 15, 60, 60].enumerated() {
            watch.renew(nil)
            watch.pass(1)
            if round == 0 { watch.seeNothingNew() }
            for _ in 0..<10 {
                let (refusal, action) = watch.keeper.refused(generation: 2 + round, watch.now)
                guard case .refuse = refusal else { return #expect(Bool(false)) }
                #expect(action == .none)
            }
            #expect(watch.report.phase == .refused && abs(watch.delay - minutes * 60) < 2)
            #expect(watch.watch(for: minutes * 60 - 2) == .none)
            #expect(watch.watch(for: 5) == .refresh(generation: 2 + round))
        }
        watch.renew(nil)
        watch.keeper.accepted(generation: watch.keeper.record.generation)
        #expect(watch.report.phase == .ok)
    }

    /// The server has refused what it was shown right after a refresh.
    private func refusedByServer() throws -> Watch {
        var watch = try Watch()
        _ = watch.keeper.refused(generation: 1, watch.now)
        watch.renew()
        watch.pass(1)
        watch.seeNothingNew()
        guard case (.refuse, .none) = watch.keeper.refused(generation: 2, watch.now) else {
            #expect(Bool(false))
            return watch
        }
        #expect(watch.report.phase == .refused)
        return watch
    }

    @Test func `a fresh token that another process has replaced is no fault of the server's`() throws {
        var watch = try Watch()
        watch.renew()
        watch.pass(1)
        let refusals = (0..<10).map { _ in watch.keeper.refused(generation: 2, watch.now) }
        #expect(refusals.map(\.1) == [.reread] + Array(repeating: .none, count: 9))
        #expect(refusals.allSatisfy { $0.0 == .wait } && watch.credential == .wait)
        #expect(watch.keeper.wanted(watch.now) == .none && watch.watch(for: 60) == .none, "nobody is asked for more")
        var newer = watch.keeper.record
        newer.generation = 3
        newer.tokens?.access = Secret("theirs")
        #expect(watch.keeper.reread(newer, now: watch.now, draw: 0.5) == .none)
        #expect(watch.credential == .token(Secret("theirs"), generation: 3) && watch.report.phase == .ok)
    }

    @Test func `somebody who signs in while the disk is looked at is not refused for it`() throws {
        var watch = try Watch()
        watch.renew()
        _ = watch.keeper.refused(generation: 2, watch.now)
        let old = watch.keeper.record
        watch.renew()
        #expect(watch.keeper.reread(old, now: watch.now, draw: 0.5) == .none)
        #expect(watch.credential == .token(Secret("at-3"), generation: 3) && watch.report.phase == .ok)
    }

    @Test func `a fresh token of a short life that has ended on its way is renewed`() throws {
        var watch = try Watch()
        watch.renew(20)
        watch.pass(19.9)
        #expect(watch.credential == .token(Secret("at-2"), generation: 2))
        watch.pass(0.2)
        let (refusal, action) = watch.keeper.refused(generation: 2, watch.now)
        #expect(refusal == .wait && action == .refresh(generation: 2))
    }

    @Test func `a server that refuses fresh tokens because it has another authorization server needs a sign-in`() throws
    {
        var watch = try self.refusedByServer()
        let same = watch
        let moved = Discovered(
            resource: "https://mcp.example/mcp", metadata: ServerMetadata(fallbackAt: "https://other.example"))
        guard
            case .keep(.verdict(let verdict?, 2)) = watch.keeper.rediscovered(
                .success(moved), now: watch.now, draw: 0.5)
        else { return #expect(Bool(false)) }
        #expect(verdict.phase == .signInNeeded && verdict.reason.contains("https://other.example"))
        for other in [
            .success(try Fixture.found()), .failure(.refused("nothing is there")),
            .failure(.transient("500", retryAfter: 9)),
        ] as [Result<Discovered, DiscoveryFailure>] {
            watch = same
            #expect(watch.keeper.rediscovered(other, now: watch.now, draw: 0.5) == .none)
            #expect(watch.report.phase == .refused && abs(watch.delay - 60) < 2)
        }
    }

    @Test func `a token that was refused and is taken after all is used on`() throws {
        var watch = try self.refusedByServer()
        #expect(watch.keeper.isDoubted)
        watch.keeper.accepted(generation: 2)
        #expect(watch.report.phase == .ok && watch.credential == .token(Secret("at-2"), generation: 2))
        #expect(!watch.keeper.isDoubted)
        #expect(watch.keeper.wanted(watch.now) == .none)
    }

    @Test func `tokens that nobody has shown to the server since are renewed in time, and it is asked again`() throws {
        var watch = try self.refusedByServer()
        #expect(watch.watch(for: 65) == .refresh(generation: 2))
        watch.renew()
        var asleep = watch
        asleep.pass(4_000)
        #expect(asleep.credential == .wait, "they have ended, which is no refusal")
        // Nobody calls.
        #expect(watch.watch(for: 2_800) == .none)
        #expect(watch.watch(for: 300) == .refresh(generation: 3))
        _ = watch.hear(.failed("no connection", sent: false))
        watch.pass(3_600)
        #expect(watch.credential == .wait)
        #expect(watch.keeper.wanted(watch.now) == .refresh(generation: 3))
        watch.renew()
        #expect(watch.credential == .token(Secret("at-4"), generation: 4))
    }
}
