import BridgeCore
import NIOCore
import Testing

@testable import BridgeMCP

@Suite("What is remembered of tasks") struct TaskLedgerTests {
    private static let now: UInt64 = 1_763_000_000

    private func record(
        _ id: String, of principal: String = "local", made: UInt64 = 0, until: UInt64 = 60, isOver: Bool = false
    ) -> TaskLedger.Record {
        var claims = TaskNamesTests.claims(id, principal: principal)
        claims.created = Self.now + made
        return TaskLedger.Record(claims, until: Self.now + until, isOver: isOver)
    }

    private func ids(_ ledger: TaskLedger, _ principal: String = "local", behind: TaskClaims? = nil) -> [String] {
        ledger.records(of: principal, behind: behind).map(\.claims.key.ownID)
    }

    @Test func `is listed to its principal, the newest first, page by page`() {
        var ledger = TaskLedger()
        for (index, id) in ["a", "c", "b", "d"].enumerated() {
            _ = ledger.put(self.record(id, made: UInt64(index / 2)), now: Self.now)
        }
        _ = ledger.put(self.record("x", of: "uid:1"), now: Self.now)
        #expect(self.ids(ledger) == ["b", "d", "a", "c"])
        #expect(self.ids(ledger, "uid:1") == ["x"])
        #expect(self.ids(ledger, "uid:2") == [])
        // A page goes on behind its last one, be that one gone since.
        let last = self.record("d", made: 1).claims
        #expect(self.ids(ledger, behind: last) == ["a", "c"])
        _ = ledger.forget(last.key)
        #expect(self.ids(ledger, behind: last) == ["a", "c"])
        #expect(self.ids(ledger, behind: self.record("c").claims) == [])
    }

    @Test func `is written down, and read again`() throws {
        var ledger = TaskLedger()
        var journal = ByteBuffer()
        for record in [
            self.record("a"), self.record("b", isOver: true), self.record("ü", of: "uid:1"), self.record("d"),
        ] {
            let line = ledger.put(record, now: Self.now)
            journal.writeImmutableBuffer(try #require(line))
            let again = ledger.put(record, now: Self.now)
            #expect(again == nil)
        }
        let gone = ledger.forget(self.record("d").claims.key)
        journal.writeImmutableBuffer(try #require(gone))
        for text in [journal, ledger.compacted(now: Self.now)] {
            var again = TaskLedger()
            var sessions = SessionLedger()
            for line in String(buffer: text).split(separator: "\n") {
                again.replay(ByteBuffer(substring: line))
                sessions.replay(ByteBuffer(substring: line))
            }
            #expect(again.count == 3 && sessions.entries.isEmpty)
            #expect(again.records(of: "local", behind: nil) == ledger.records(of: "local", behind: nil))
            #expect(again.records(of: "uid:1", behind: nil) == ledger.records(of: "uid:1", behind: nil))
        }
        for line in ["", "{", "{}", #"{"task":"a"}"#, #"{"s":"1","x":5}"#] { ledger.replay(ByteBuffer(string: line)) }
        #expect(ledger.count == 3)
    }

    @Test func `is no more than so many under way, of one principal`() {
        var ledger = TaskLedger(maximumUnderWay: 3)
        for id in ["a", "b"] { _ = ledger.put(self.record(id), now: Self.now) }
        #expect(ledger.admits("local", further: 0, now: Self.now))
        #expect(!ledger.admits("local", further: 1, now: Self.now))
        _ = ledger.put(self.record("c"), now: Self.now)
        #expect(!ledger.admits("local", further: 0, now: Self.now))
        #expect(ledger.admits("uid:1", further: 0, now: Self.now))
        _ = ledger.put(self.record("a", isOver: true), now: Self.now)
        #expect(ledger.admits("local", further: 0, now: Self.now))
        // Their time is over.
        #expect(ledger.admits("local", further: 2, now: Self.now + 60))
    }

    @Test func `is bounded: what is over gives way, the oldest first`() {
        var ledger = TaskLedger(maximumUnderWay: 3, maximumOfPrincipal: 3, maximum: 4)
        _ = ledger.put(self.record("a", made: 0), now: Self.now)
        _ = ledger.put(self.record("b", made: 1, isOver: true), now: Self.now)
        _ = ledger.put(self.record("c", made: 2, isOver: true), now: Self.now)
        _ = ledger.put(self.record("d", made: 3), now: Self.now)
        #expect(self.ids(ledger) == ["d", "c", "a"])
        _ = ledger.put(self.record("x", of: "uid:1"), now: Self.now)
        _ = ledger.put(self.record("y", of: "uid:2"), now: Self.now)
        #expect(self.ids(ledger) == ["d", "a"] && ledger.count == 4)
        #expect(!ledger.admits("uid:3", further: 0, now: Self.now))
        #expect(ledger.admits("uid:3", further: 0, now: Self.now + 60))
    }

    @Test func `is forgotten after seven days`() {
        var ledger = TaskLedger()
        _ = ledger.put(self.record("a"), now: Self.now)
        ledger.forgetExpired(now: Self.now + 7 * 86_400 - 1)
        #expect(ledger.count == 1)
        ledger.forgetExpired(now: Self.now + 7 * 86_400)
        #expect(ledger.count == 0)
        #expect(ledger.compacted(now: Self.now).readableBytes == 0)
    }
}
