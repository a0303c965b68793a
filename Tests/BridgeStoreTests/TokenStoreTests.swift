import BridgeAccess
import BridgeStore
import Foundation
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
        let before = try await first.get { first.revision($0) }
        let token = try fixture.token("one")
        let after = try await second.put(token)
        #expect(after == before + 1)
        #expect(try await first.get { first.revision($0) } == after)
        #expect(try await first.get { first.tokens($0) }.tokens == [token])
        await first.closed()
        await second.closed()
    }

    @Test func `a new file that several processes open at once is made by one of them`() async throws {
        for _ in 0..<20 {
            let fixture = try StoreFixture()
            let stores = (0..<4).map { _ in fixture.open { $0.lockWait = .seconds(5) } }
            let revisions = try await withThrowingTaskGroup(of: Int.self) { group in
                for store in stores { group.addTask { try await store.get { store.revision($0) } } }
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
                group.addTask { try await store.get { store.take(7, of: token, day: 3, limit: 100, $0) } }
            }
            return try await group.reduce(0, +)
        }
        #expect(total == 100)
        #expect(try await first.get { first.taken(day: 3, $0) } == [token: 100])
        try await first.get { first.giveBack(30, of: token, day: 3, $0) }
        #expect(try await second.get { second.take(50, of: token, day: 3, limit: 100, $0) } == 30)
        #expect(try await second.get { second.take(50, of: token, day: 4, limit: 100, $0) } == 50)
        await first.closed()
        await second.closed()
    }
}
