import BridgeAccess
import Dispatch
import GRDB
import Synchronization
import Testing

@testable import BridgeStore

@Suite("The audit on the disk") struct AuditStoreTests {
    @Test func `rows come back in their order, as they were asked for`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        let token = TokenID.random()
        let rows = (1...10).map {
            fixture.row($0, token: $0 > 5 ? token : nil, outcome: $0 == 8 ? "rate_limited" : AuditRow.ok)
        }
        try await store.get { store.append(rows, $0) }
        #expect(try await store.get { store.rows(AuditQuery(), $0) }.rows == rows)
        #expect(try await store.get { store.rows(AuditQuery(limit: 3), $0) }.rows == Array(rows[7...]))
        #expect(try await store.get { store.rows(AuditQuery(token: token), $0) }.rows == Array(rows[5...]))
        #expect(try await store.get { store.rows(AuditQuery(since: 9), $0) }.rows == Array(rows[8...]))
        #expect(try await store.get { store.rows(AuditQuery(outcome: "rate_limited"), $0) }.rows == [rows[7]])
        #expect(try await store.get { store.rows(AuditQuery(subject: "demo.*"), $0) }.rows.count == 10)
        #expect(try await store.get { store.rows(AuditQuery(subject: "demo.[a]dd"), $0) }.rows.isEmpty)
        await store.closed()
    }

    @Test func `a file from before has rows without what came later, and takes rows with it`() async throws {
        let fixture = try StoreFixture()
        let before = fixture.open()
        try await before.get { before.append([fixture.row(1)], $0) }
        await before.closed()
        try fixture.plainly {
            try $0.execute(
                sql: """
                    ALTER TABLE audit DROP COLUMN user; ALTER TABLE audit DROP COLUMN client_session;
                    ALTER TABLE audit DROP COLUMN input_tokens; ALTER TABLE audit DROP COLUMN output_tokens;
                    DROP INDEX audit_token;
                    DELETE FROM grdb_migrations WHERE identifier LIKE '3:%' OR identifier LIKE '4:%'
                    """)
        }
        let store = fixture.open()
        try await store.get { store.append([fixture.row(3)], $0) }
        let rows = try await store.get { store.rows(AuditQuery(), $0) }.rows
        #expect(rows.map(\.requestID) == ["1", "3"])
        #expect(rows.map(\.clientSession) == [nil, "session 3"] && rows.map(\.inputTokens) == [nil, 3])
        await store.closed()
    }

    @Test func `whoever follows gets each row once`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        try await store.get { store.append((1...5).map { fixture.row($0) }, $0) }
        let first = try await store.get { store.rows(AuditQuery(limit: 2), $0) }
        #expect(first.rows.map(\.requestID) == ["4", "5"])
        try await store.get { store.append((6...10).map { fixture.row($0, outcome: $0 < 10 ? "x" : "ok") }, $0) }
        let second = try await store.get { store.rows(AuditQuery(after: first.last, limit: 3), $0) }
        #expect(second.rows.map(\.requestID) == ["6", "7", "8"])
        let third = try await store.get { store.rows(AuditQuery(outcome: "x", after: second.last, limit: 3), $0) }
        #expect(third.rows.map(\.requestID) == ["9"])
        #expect(try await store.get { store.rows(AuditQuery(after: third.last), $0) }.rows.isEmpty)
        await store.closed()
    }

    @Test func `what is old is forgotten, and what was used is summed up`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        let token = TokenID.random()
        try await store.get {
            store.append((1...4).map { fixture.row($0, token: token, outcome: $0 == 4 ? "failed" : "ok") }, $0)
        }
        try await store.get { store.append([fixture.row(5)], $0) }
        try await store.get { store.prune(before: 3, $0) }
        #expect(try await store.get { store.rows(AuditQuery(), $0) }.rows.map(\.requestID) == ["3", "4", "5"])
        let usage = TokenUsage(
            token: token, requests: 2, failures: 1, requestBytes: 20, responseBytes: 40, microseconds: 60, last: 4)
        #expect(try await store.get { store.usage(since: 0, of: nil, $0) } == [usage])
        #expect(try await store.get { store.usage(since: 0, of: .random(), $0) } == [])
        await store.closed()
    }

    @Test func `what is forgotten is forgotten in pieces, and others are let in between`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        try await store.get { store.append((1...10_000).map { fixture.row($0) }, $0) }
        let order = Mutex<[String]>([])
        try await store.get { answer in
            store.prune(before: 20_000) { result in
                order.withLock { $0.append("forgotten") }
                answer(result)
            }
            store.revision { _ in order.withLock { $0.append("let in") } }
        }
        #expect(order.withLock { $0 } == ["let in", "forgotten"])
        #expect(try await store.get { store.rows(AuditQuery(), $0) }.rows.isEmpty)
        await store.closed()
    }

    @Test func `tokens that ended before the oldest row are forgotten with all that was counted of them`() async throws
    {
        let fixture = try StoreFixture()
        let store = fixture.open()
        let tokens = try ["revoked", "expired", "lately", "good"].map { try fixture.token($0) }
        var (revoked, expired, lately) = (tokens[0], tokens[1], tokens[2])
        revoked.revoked = 99
        expired.expires = 99
        lately.revoked = 100
        for token in [revoked, expired, lately, tokens[3]] { _ = try await store.put(token) }
        let rate = try TokenRate("60/min")
        for key in tokens.map(\.id.text) + ["*"] {
            _ = try await store.get { store.take(1, least: 1, of: rate, for: key, $0) }
        }
        let revision = try await store.get { store.revision($0) }
        try await store.get { store.prune(before: 100_000, $0) }
        let stock = try await store.get { store.tokens($0) }
        #expect(Set(stock.tokens.map(\.name)) == ["lately", "good"] && stock.revision > revision)
        await store.closed()
        var keys: Set<String> = []
        try fixture.plainly { keys = try String.fetchSet($0, sql: "SELECT key FROM rate") }
        #expect(keys == Set([lately.id.text, tokens[3].id.text, "*"]))
    }

    @Test func `a file of the version before keeps its rows, and finds those of a token by an index`() async throws {
        let fixture = try StoreFixture()
        let token = TokenID.random()
        try fixture.makeOlder("2: rates", (1...4).map { fixture.row($0, token: $0 > 2 ? token : nil) })
        let store = fixture.open()
        let rows = try await store.get { store.rows(AuditQuery(token: token), $0) }.rows
        #expect(rows.map(\.requestID) == ["3", "4"])
        #expect(try await store.get { store.rows(AuditQuery(), $0) }.rows.count == 4)
        await store.closed()
        try fixture.plainly { database in
            let plan = try Row.fetchAll(
                database, sql: "EXPLAIN QUERY PLAN SELECT * FROM audit WHERE 1 AND token = 'a' ORDER BY id DESC LIMIT 9"
            ).compactMap { $0["detail"] as String? }
            #expect(plan.contains { $0.contains("audit_token") }, "\(plan)")
        }
    }

    @Test func `nothing that is written waits for somebody who reads it`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        let token = try fixture.token("revoked")
        _ = try await store.put(token)
        try await store.get { store.append([fixture.row(1, token: token.id)], $0) }
        let answers = Mutex<[String]>([])
        let (done, isDone) = AsyncStream<Void>.makeStream()
        let note: @Sendable (String) -> Void = { what in
            answers.withLock { $0.append(what) }
            isDone.yield()
        }
        let (begun, isBegun) = AsyncStream<Void>.makeStream()
        let written = DispatchSemaphore(value: 0)
        // It has read something, and goes on reading until all is written that comes after it.
        store.look(
            { (result: Result<Bool, StoreTrouble>) in note("look \((try? result.get()) ?? false)") }, without: false
        ) {
            database in
            _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM audit")
            isBegun.yield()
            for _ in 1...4 where written.wait(timeout: .now() + 20) != .success { return false }
            return true
        }
        for await _ in begun { break }
        store.rows(AuditQuery()) { result in note("rows \((try? result.get().rows.count) ?? -1)") }
        store.usage(since: 0, of: nil) { result in note("usage \((try? result.get().count) ?? -1)") }
        store.taken(day: 1) { _ in note("taken") }
        let count: @Sendable (Bool) -> Void = { isGood in
            #expect(isGood)
            written.signal()
        }
        store.append([fixture.row(2)]) { count((try? $0.get()) != nil) }
        store.take(5, least: 1, of: token.id, day: 1, limit: 10) { count((try? $0.get()) == 5) }
        store.revoke(token.id, at: 5) { count((try? $0.get()) != nil) }
        store.tokens { count((try? $0.get())?.tokens.first?.revoked == 5) }
        var left = 4
        for await _ in done {
            left -= 1
            if left == 0 { break }
        }
        #expect(answers.withLock { $0 } == ["look true", "rows 2", "usage 1", "taken"])
        await store.closed()
    }

    @Test(arguments: [false, true])
    func `whoever reads long is sent away when the store is closed`(isBetweenStatements: Bool) async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        try await store.get { store.append([fixture.row(1)], $0) }
        let (begun, isBegun) = AsyncStream<Void>.makeStream()
        let closing = DispatchSemaphore(value: 0)
        // Ends by itself in a day.
        let endless =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100000000000) SELECT max(i) FROM n"
        let answers = Mutex<[StoreTrouble.Kind?]>([])
        let note: @Sendable (StoreTrouble?) -> Void = { trouble in answers.withLock { $0.append(trouble?.kind) } }
        store.look({ (result: Result<Int?, StoreTrouble>) in note(result.trouble) }, without: nil) { database in
            isBegun.yield()
            if isBetweenStatements { #expect(closing.wait(timeout: .now() + 20) == .success) }
            return try Int.fetchOne(database, sql: endless)
        }
        store.rows(AuditQuery()) { note($0.trouble) }
        for await _ in begun { break }
        store.append([fixture.row(2)]) { note($0.trouble) }
        await withCheckedContinuation { done in
            store.close { done.resume() }
            // Has its answer after the end of the reading has begun.
            store.tokens { _ in closing.signal() }
        }
        #expect(answers.withLock { $0 } == [nil, .unreachable, .unreachable])
        let next = fixture.open()
        #expect(try await next.get { next.rows(AuditQuery(), $0) }.rows.count == 2)
        await next.closed()
    }
}

extension Result where Failure == StoreTrouble {
    fileprivate var trouble: StoreTrouble? { if case .failure(let trouble) = self { trouble } else { nil } }
}
