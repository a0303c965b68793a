import BridgeAccess
import BridgeStore
import GRDB
import Testing

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

    @Test func `a file from before there were tokens of models keeps its rows, and takes new ones`() async throws {
        let fixture = try StoreFixture()
        let first = fixture.open()
        try await first.get { first.append([fixture.row(1)], $0) }
        await first.closed()
        try fixture.plainly { database in
            try database.execute(
                sql: """
                    ALTER TABLE audit DROP COLUMN input_tokens;
                    ALTER TABLE audit DROP COLUMN output_tokens;
                    DELETE FROM grdb_migrations WHERE identifier LIKE '3:%';
                    """)
        }
        let store = fixture.open()
        try await store.get { store.append([fixture.row(3)], $0) }
        let rows = try await store.get { store.rows(AuditQuery(), $0) }.rows
        #expect(rows.map(\.requestID) == ["1", "3"] && rows.map(\.inputTokens) == [nil, 3])
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
}
