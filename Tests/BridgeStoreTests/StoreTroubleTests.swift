import BridgeAccess
import BridgeStore
import Foundation
import GRDB
import Testing

@Suite("A store in trouble") struct StoreTroubleTests {
    /// Writes a token, and says what is wrong.
    private func trouble(_ store: AccessDatabase, _ fixture: StoreFixture) async throws -> StoreTrouble.Kind? {
        let token = try fixture.token("another")
        do {
            _ = try await store.put(token)
            return nil
        } catch let trouble as StoreTrouble {
            #expect(trouble.description.contains(fixture.path))
            return trouble.kind
        }
    }

    @Test func `a damaged file is refused, and a good one in its place is used`() async throws {
        let fixture = try StoreFixture()
        try String(repeating: "no database ", count: 1_000)
            .write(toFile: fixture.path, atomically: false, encoding: .utf8)
        let store = fixture.open()
        #expect(try await self.trouble(store, fixture) == .corrupt)
        try FileManager.default.moveItem(atPath: fixture.path, toPath: fixture.path + ".broken")
        #expect(try await self.trouble(store, fixture) == nil)
        await store.closed()
    }

    @Test func `a file that is damaged while it is used is refused too`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        #expect(try await self.trouble(store, fixture) == nil)
        try fixture.plainly { try $0.execute(sql: "UPDATE token SET scope = 'nonsense'") }
        await #expect { _ = try await store.get { store.tokens($0) } } throws: { error in
            (error as? StoreTrouble)?.kind == .corrupt
        }
        await store.closed()
    }

    @Test(arguments: [
        "created = -1", "expires = 9223372036854775807", "revoked = -9223372036854775807", "concurrency = 0",
    ])
    func `a number that cannot be is damage`(change: String) async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        #expect(try await self.trouble(store, fixture) == nil)
        try fixture.plainly { try $0.execute(sql: "UPDATE token SET \(change)") }
        await #expect { _ = try await store.get { store.tokens($0) } } throws: { error in
            (error as? StoreTrouble)?.kind == .corrupt
        }
        await store.closed()
    }

    @Test(arguments: [Int.min, -1, .max])
    func `a count that cannot be lets nobody use more than there is`(taken: Int) async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        let token = TokenID.random()
        _ = try await store.get { store.take(1, least: 1, of: token, day: 3, limit: 100, $0) }
        try fixture.plainly { try $0.execute(sql: "UPDATE budget SET taken = ?", arguments: [taken]) }
        let granted = try await store.get { store.take(500, least: 1, of: token, day: 3, limit: 100, $0) }
        #expect(granted == (taken < 0 ? 100 : 0))
        try await store.get { store.giveBack(1, of: token, day: 3, $0) }
        await store.closed()
    }

    @Test func `a file that is taken away while it is used is made anew`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        #expect(try await self.trouble(store, fixture) == nil)
        for suffix in ["", "-wal", "-shm"] { try FileManager.default.removeItem(atPath: fixture.path + suffix) }
        #expect(try await store.get { store.tokens($0) }.tokens.isEmpty)
        #expect(try await self.trouble(store, fixture) == nil)
        await store.closed()
    }

    @Test func `a file of a later version is refused and left as it is`() async throws {
        let fixture = try StoreFixture()
        let first = fixture.open()
        #expect(try await self.trouble(first, fixture) == nil)
        await first.closed()
        try fixture.plainly { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('99: from the future')") }
        let store = fixture.open()
        #expect(try await self.trouble(store, fixture) == .laterVersion)
        try fixture.plainly { try $0.execute(sql: "DELETE FROM grdb_migrations WHERE identifier LIKE '99%'") }
        #expect(try await self.trouble(store, fixture) == nil)
        #expect(try await store.get { store.tokens($0) }.tokens.count == 2)
        await store.closed()
    }

    @Test func `tokens of another key are refused, and the audit beside them is not`() async throws {
        let fixture = try StoreFixture()
        let first = fixture.open()
        #expect(try await self.trouble(first, fixture) == nil)
        await first.closed()
        let other = fixture.open(key: .random())
        #expect(try await self.trouble(other, fixture) == .otherKey)
        await #expect { _ = try await other.get { other.tokens($0) } } throws: { error in
            (error as? StoreTrouble)?.kind == .otherKey
        }
        try await other.get { other.append([fixture.row(1)], $0) }
        await other.closed()
        let again = fixture.open()
        #expect(try await again.get { again.tokens($0) }.tokens.count == 1)
        await again.closed()
    }

    @Test func `a full disk refuses what does not fit, keeps what is there, and takes more when there is room`()
        async throws
    {
        let fixture = try StoreFixture()
        let small = fixture.open { $0.maximumPages = 14 }
        #expect(try await self.trouble(small, fixture) == nil)
        let rows = (1...1_000).map { fixture.row($0) }
        await #expect { try await small.get { small.append(rows, $0) } } throws: { error in
            (error as? StoreTrouble)?.kind == .full
        }
        #expect(try await small.get { small.tokens($0) }.tokens.count == 1)
        #expect(try await small.get { small.rows(AuditQuery(), $0) }.rows.isEmpty)
        let large = fixture.open()
        try await large.get { large.append(rows, $0) }
        await small.closed()
        await large.closed()
    }

    @Test func `a lock of another program is told, and waited for no longer than agreed`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        #expect(try await self.trouble(store, fixture) == nil)
        var leavesItOpen = Configuration()
        leavesItOpen.allowsUnsafeTransactions = true
        let other = try DatabaseQueue(path: fixture.path, configuration: leavesItOpen)
        try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        #expect(try await self.trouble(store, fixture) == .locked)
        #expect(try await store.get { store.tokens($0) }.tokens.count == 1)
        try await other.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        #expect(try await self.trouble(store, fixture) == nil)
        try other.close()
        await store.closed()
    }

    @Test func `a folder that cannot be written to is told, and used once it can be`() async throws {
        let fixture = try StoreFixture()
        let folder = fixture.folder + "/missing"
        let store = AccessDatabase(path: folder + "/bridge.sqlite")
        await #expect { _ = try await store.get { store.tokens($0) } } throws: { error in
            (error as? StoreTrouble)?.kind == .unreachable
        }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        #expect(try await store.get { store.tokens($0) }.tokens.isEmpty)
        await store.closed()
    }

    @Test(.disabled(if: geteuid() == 0, "root may write to everything"))
    func `a file that is read only is told, and used once it is writable`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open()
        #expect(try await self.trouble(store, fixture) == nil)
        await store.closed()
        chmod(fixture.path, 0o400)
        chmod(fixture.folder, 0o500)
        let next = fixture.open()
        #expect(try await self.trouble(next, fixture) == .readOnly)
        chmod(fixture.folder, 0o700)
        chmod(fixture.path, 0o600)
        #expect(try await self.trouble(next, fixture) == nil)
        await next.closed()
    }

    @Test func `more than the queue takes is refused at once`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.open { $0.queueLimit = 0 }
        #expect(try await self.busy(store))
        await store.closed()
    }

    private func busy(_ store: AccessDatabase) async throws -> Bool {
        do {
            _ = try await store.get { store.tokens($0) }
            return false
        } catch let trouble as StoreTrouble {
            return trouble.kind == .busy
        }
    }
}
