import BridgeAccess
import BridgeStore
import Foundation
import Synchronization
import Testing

@Suite("Tokens on the disk") struct TokenStoreTests {
    @Test func `a token is read as it was written, by the next process too`() async throws {
        let fixture = try StoreFixture()
        var token = try fixture.token("one", scope: "server:calculator,tool:git.*,chat")
        token.models = try ModelPatterns("gpt-*,claude-*")
        token.limits = TokenLimits(
            rate: try TokenRate("60/min"), concurrency: 4, budget: try TokenBudget("9tokens/day"))
        token.expires = 2_000
        token.isSandboxed = true
        token.isAudited = true
        token.rotate(to: fixture.key.hash(.random()), keepingOldUntil: 1_500)
        token.revoked = 1_600
        let first = fixture.open()
        let revision = try await first.put(token)
        await first.closed()
        let second = fixture.open()
        let stock = try await second.get { second.tokens($0) }
        #expect(stock.tokens == [token])
        #expect(stock.revision == revision)
        await second.closed()
    }

    @Test func `the file and those beside it are this user's alone`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        _ = try await store.put(try fixture.token("one"))
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder).sorted()
        #expect(names == ["bridge.sqlite", "bridge.sqlite-shm", "bridge.sqlite-wal"])
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(atPath: fixture.folder + "/" + name)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        await store.closed()
    }

    @Test func `what another process changes is another revision`() async throws {
        let fixture = try StoreFixture()
        let (first, second) = (fixture.open(), fixture.open())
        let tokens = try [fixture.token("one"), fixture.token("two")]
        let before = try await first.put(tokens[0])
        let after = try await second.put(tokens[1])
        #expect(after == before + 1)
        #expect(try await first.get { first.revision($0) } == after)
        #expect(Set(try await first.get { first.tokens($0) }.tokens.map(\.id)) == Set(tokens.map(\.id)))
        await first.closed()
        await second.closed()
    }

    @Test func `who only looks makes no file, and finds nothing`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        let stock = try await store.get { store.tokens($0) }
        #expect(stock.tokens.isEmpty)
        #expect(try await store.get { store.revision($0) } == stock.revision)
        #expect(try await store.get { store.rows(AuditQuery(after: 7), $0) } == AuditPage(rows: [], last: 7))
        #expect(try await store.get { store.usage(since: 0, of: nil, $0) }.isEmpty)
        #expect(try await store.get { store.taken(day: 3, $0) }.isEmpty)
        try await store.get { store.prune(before: 9, $0) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.folder).isEmpty)
        await store.closed()
    }

    @Test func `of two who have found no file, one is the first, and the other decides again`() async throws {
        let fixture = try StoreFixture()
        let (first, second) = (fixture.open(), fixture.open())
        let seen = try await first.get { first.revision($0) }
        let tokens = try [fixture.token("one"), fixture.token("two")]
        let made = try await first.get { first.put(tokens[0], over: seen, $0) }
        #expect(try await second.get { second.put(tokens[1], over: seen, $0) } == .outdated)
        let revision = try await second.get { second.revision($0) }
        #expect(made == .written(revision) && revision != seen)
        #expect(try await second.get { second.put(tokens[1], over: revision, $0) } == .written(revision + 1))
        await first.closed()
        await second.closed()
    }

    @Test func `a change that was decided by tokens that are others by now is not written`() async throws {
        let fixture = try StoreFixture()
        let (first, second) = (fixture.open(), fixture.open())
        var token = try fixture.token("one")
        let seen = try await first.put(token)
        let ended = try await second.get { second.revoke(token.id, at: 50, $0) }
        #expect(ended == seen + 1)
        let unchanged = token
        token.rotate(to: fixture.key.hash(.random()), keepingOldUntil: nil)
        let rotated = token
        #expect(try await first.get { first.put(rotated, over: seen, $0) } == .outdated)
        var expected = unchanged
        expected.revoked = 50
        #expect(try await first.get { first.tokens($0) }.tokens == [expected])
        // Nor does anything else bring back what was revoked, or make it later.
        _ = try await first.put(rotated)
        _ = try await first.get { first.revoke(rotated.id, at: 70, $0) }
        #expect(try await second.get { second.tokens($0) }.tokens.map(\.revoked) == [50])
        await first.closed()
        await second.closed()
    }

    @Test func `of many who change tokens at once, each decides by what the one before has left`() async throws {
        let fixture = try StoreFixture()
        let stores = (0..<2).map { _ in fixture.open { $0.lockWait = .seconds(5) } }
        let revision = try await stores[0].get { stores[0].revision($0) }
        let tokens = try (0..<16).map { try fixture.token("\($0)") }
        let written = try await withThrowingTaskGroup(of: Bool.self) { group in
            for (index, token) in tokens.enumerated() {
                let store = stores[index % 2]
                group.addTask { try await store.get { store.put(token, over: revision, $0) } != .outdated }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(written.count { $0 } == 1)
        for store in stores { await store.closed() }
    }

    @Test func `a clock that was set back makes nobody wait longer than an empty bucket would`() async throws {
        let fixture = try StoreFixture()
        let second: Int64 = 1_000_000
        let clock = Atomic(10_000 * second)
        let store = fixture.open { $0.clock = { clock.load(ordering: .relaxed) } }
        let rate = try TokenRate("60/min")
        let take = { try await store.get { store.take(1, least: 1, of: rate, for: "a", $0) } }
        _ = try await store.get { store.take(60, least: 60, of: rate, for: "a", $0) }
        clock.store(100 * second, ordering: .relaxed)
        #expect(try await take() == .nothing(until: 101 * second))
        clock.store(101 * second, ordering: .relaxed)
        #expect(try await take() == .lease(RateLease(from: 160 * second, until: 161 * second)))
        await store.closed()
    }

    @Test func `a new file that several processes open at once is made by one of them`() async throws {
        for _ in 0..<20 {
            let fixture = try StoreFixture()
            let stores = (0..<4).map { _ in fixture.open { $0.lockWait = .seconds(5) } }
            let row = fixture.row(1)
            let revisions = try await withThrowingTaskGroup(of: Int.self) { group in
                for store in stores {
                    group.addTask {
                        try await store.get { store.append([row], $0) }
                        return try await store.get { store.revision($0) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(revisions == Array(repeating: revisions[0], count: 4))
            for store in stores { await store.closed() }
        }
    }

    @Test func `two processes never take more of a budget than there is`() async throws {
        let fixture = try StoreFixture()
        let (first, second) = (fixture.open { $0.lockWait = .seconds(5) }, fixture.open { $0.lockWait = .seconds(5) })
        let token = TokenID.random()
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for index in 0..<64 {
                let store = index.isMultiple(of: 2) ? first : second
                group.addTask { try await store.get { store.take(7, least: 1, of: token, day: 3, limit: 100, $0) } }
            }
            return try await group.reduce(0, +)
        }
        #expect(total == 100)
        #expect(try await first.get { first.taken(day: 3, $0) } == [token: 100])
        try await first.get { first.giveBack(30, of: token, day: 3, $0) }
        #expect(try await second.get { second.take(50, least: 31, of: token, day: 3, limit: 100, $0) } == 0)
        #expect(try await second.get { second.take(50, least: 30, of: token, day: 3, limit: 100, $0) } == 30)
        #expect(try await second.get { second.take(50, least: 1, of: token, day: 4, limit: 100, $0) } == 50)
        await first.closed()
        await second.closed()
    }
}
