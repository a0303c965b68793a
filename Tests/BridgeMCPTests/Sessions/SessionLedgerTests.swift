import BridgeTesting
import NIOCore
import Testing

@testable import BridgeCore
@testable import BridgeMCP

@Suite("Session ledger") struct SessionLedgerTests {
    private func replayed(_ journal: ByteBuffer) -> SessionLedger {
        var ledger = SessionLedger()
        for line in journal.readableBytesView.split(separator: UInt8(ascii: "\n")) {
            ledger.replay(ByteBuffer(bytes: line))
        }
        return ledger
    }

    @Test(arguments: 0..<30)
    func `is the same after its journal has been replayed, compacted or not`(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var ledger = SessionLedger()
        var journal = ByteBuffer()
        for _ in 0..<300 {
            let sessions: [UInt64] = [0, 1, 2, 3, 1 << 63, .max]
            let session = sessions.randomElement(using: &random) ?? 0
            if Int.random(in: 0..<20, using: &random) == 0 {
                journal.writeImmutableBuffer(try ledger.end(session, of: "local", expires: 5_000))
            } else if let level = LogSeverity.allCases.randomElement(using: &random),
                let line = try ledger.set(level, for: session, of: "local", expires: 5_000)
            {
                journal.writeImmutableBuffer(line)
            }
        }
        #expect(self.replayed(journal).entries == ledger.entries)
        let compacted = ledger.compacted(now: 100)
        #expect(compacted.readableBytes <= journal.readableBytes)
        #expect(self.replayed(compacted).entries == ledger.entries)
    }

    @Test func `remembers what has ended, whatever comes after`() throws {
        var ledger = SessionLedger()
        #expect(!ledger.isEnded(7))
        let line = try ledger.end(7, of: "local", expires: 1_000)
        #expect(ledger.isEnded(7))
        let after = try ledger.set(.error, for: 7, of: "local", expires: 1_000)
        #expect(after == nil)
        #expect(ledger.level(of: 7) == nil)
        var late = self.replayed(line)
        late.replay(ByteBuffer(string: #"{"s":"7","x":1000,"level":"error"}"#))
        #expect(late.isEnded(7))
    }

    @Test func `forgets a session that has ended with its stream, in this life and the next`() throws {
        var ledger = SessionLedger()
        var journal = ByteBuffer()
        for session: UInt64 in [1, 2] {
            let line = try ledger.set(.error, for: session, of: "local", expires: 9, endsWithStream: session == 1)
            journal.writeImmutableBuffer(try #require(line))
        }
        #expect(ledger.streamed == [1])
        #expect(self.replayed(journal).entries == ledger.entries)
        let line = ledger.forget(1)
        journal.writeImmutableBuffer(try #require(line))
        let again = ledger.forget(1)
        #expect(again == nil)
        #expect(self.replayed(journal).entries == ledger.entries)
        #expect(ledger.entries.keys.sorted() == [2])
        #expect(ledger.lowestLevel == .error)
    }

    @Test func `writes nothing for a level that is set already`() throws {
        var ledger = SessionLedger()
        let first = try ledger.set(.warning, for: 1, of: "local", expires: 9)
        let again = try ledger.set(.warning, for: 1, of: "local", expires: 9)
        let other = try ledger.set(.debug, for: 1, of: "local", expires: 9)
        #expect(first.map { String(buffer: $0) } == #"{"s":"1","x":9,"p":"local","level":"warning"}"# + "\n")
        #expect(again == nil)
        #expect(other != nil)
    }

    @Test(arguments: [
        "", "{", #"{"s":"7","x":10"#, #"{"s":"7"}"#, #"{"x":10,"ended":true}"#, #"{"s":"7","x":-1,"ended":true}"#,
        #"{"s":"zz","x":10,"ended":true}"#, #"{"s":7,"x":10,"ended":true}"#, #"{"s":"7","x":1e3,"ended":true}"#,
        #"[{"s":"7","x":10,"ended":true}]"#, "\u{0}\u{0}\u{0}", #"{"s":"7","x":10,"ended":true}{"s":"8"}"#,
        #"{"s":"10000000000000000","x":10,"ended":true}"#,
    ])
    func `passes over a line that is not one`(line: String) {
        var ledger = SessionLedger()
        ledger.replay(ByteBuffer(string: line))
        #expect(ledger.entries.isEmpty)
    }

    @Test func `passes over a level that it does not know and keeps the rest of the line`() {
        let ledger = self.replayed(ByteBuffer(string: #"{"s":"a","x":10,"level":"trace","later":1}"#))
        #expect(ledger.entries[10]?.expires == 10)
        #expect(ledger.level(of: 10) == nil)
    }

    @Test func `keeps out of a compacted journal what has expired, and tells of it once when it is forgotten`() throws {
        var ledger = SessionLedger()
        _ = try ledger.end(1, of: "a", expires: 100)
        _ = try ledger.end(2, of: "", expires: 101)
        _ = try ledger.set(.info, for: 3, of: "a", expires: 99)
        let journal = ledger.compacted(now: 100)
        #expect(String(buffer: journal) == #"{"s":"2","x":101,"ended":true}"# + "\n")
        #expect(Set(ledger.forgetExpired(now: 100)) == [1, 3])
        #expect(ledger.forgetExpired(now: 100).isEmpty)
        #expect(ledger.entries.count == 1)
    }

    @Test func `knows the lowest level that a live session asked for`() throws {
        var ledger = SessionLedger()
        #expect(ledger.lowestLevel == nil)
        _ = try ledger.set(.error, for: 1, of: "a", expires: 100)
        _ = try ledger.set(.info, for: 2, of: "a", expires: 100)
        _ = try ledger.set(.debug, for: 3, of: "a", expires: 50)
        #expect(ledger.lowestLevel == .debug)
        ledger.forgetExpired(now: 50)
        #expect(ledger.lowestLevel == .info)
        _ = try ledger.set(.warning, for: 2, of: "a", expires: 100)
        #expect(ledger.lowestLevel == .warning)
        let before = ledger.entries[2]
        _ = try ledger.end(2, of: "a", expires: 100)
        #expect(ledger.lowestLevel == .error)
        ledger.takeBack(2, before)
        #expect(ledger.lowestLevel == .warning)
    }

    @Test func `one principal's sessions are bounded; who makes one entry too many is refused, and nobody else`() throws
    {
        var ledger = SessionLedger(maximumOfPrincipal: 3, maximum: 5)
        for number in 1...3 as ClosedRange<UInt64> { _ = try ledger.end(number, of: "a", expires: 1_000) }
        #expect(throws: LedgerFull()) { try ledger.end(4, of: "a", expires: 1_000) }
        #expect(throws: LedgerFull()) { try ledger.set(.error, for: 4, of: "a", expires: 1_000) }
        for number in 10...11 as ClosedRange<UInt64> { _ = try ledger.end(number, of: "b", expires: 2_000) }
        #expect(throws: LedgerFull()) { try ledger.end(12, of: "b", expires: 2_000) }
        #expect(ledger.entries.count == 5)
        #expect((1...3).allSatisfy { ledger.isEnded($0) } && !ledger.isEnded(4))
        ledger.forgetExpired(now: 1_000)
        _ = try ledger.end(4, of: "a", expires: 3_000)
        #expect(ledger.isEnded(4))
    }

    @Test func `a session that is remembered already may always end`() throws {
        var ledger = SessionLedger(maximumOfPrincipal: 1, maximum: 1)
        _ = try ledger.set(.error, for: 1, of: "a", expires: 1_000)
        _ = try ledger.set(.debug, for: 1, of: "a", expires: 1_000)
        _ = try ledger.end(1, of: "a", expires: 1_000)
        #expect(ledger.isEnded(1))
        #expect(throws: LedgerFull()) { try ledger.end(2, of: "a", expires: 1_000) }
        ledger.takeBack(1, nil)
        _ = try ledger.end(2, of: "a", expires: 1_000)
    }

    @Test
    func `by default it is bounded at 16,384 of a principal and 262,144 in all, and forgets none before it expires`()
        throws
    {
        var ledger = SessionLedger()
        for number in 0..<UInt64(262_144) {
            _ = try ledger.end(number, of: "principal \(number % 16)", expires: 1_000 + number)
        }
        for principal in ["principal 0", "another"] {
            #expect(throws: LedgerFull()) { try ledger.end(1 << 40, of: principal, expires: 9_999_999) }
        }
        #expect(ledger.isEnded(0) && ledger.isEnded(262_143))
    }
}

@Suite("Log levels") struct LogLevelsTests {
    @Test func `nothing is asked for until a session sets a level`() {
        var levels = LogLevels()
        levels.withoutLevel = 3
        #expect(levels.wanted(lowest: nil) == nil)
    }

    @Test(arguments: [
        (LogSeverity?.some(.error), 0, LogSeverity.error), (.error, 1, .info), (.debug, 1, .debug), (.info, 5, .info),
        (nil, 1, .info), (nil, 0, .info),
    ])
    func `then the lowest of all, a session without one counting as info`(
        lowest: LogSeverity?, without: Int, expected: LogSeverity
    ) {
        var levels = LogLevels()
        levels.wasSet = true
        levels.withoutLevel = without
        #expect(levels.wanted(lowest: lowest) == expected)
    }
}

@Suite("A cache of recent values") struct RecentValuesTests {
    @Test func `keeps what is used and forgets what is not`() {
        var values = RecentValues<Int, Int>(capacity: 10)
        values[0] = 0
        for number in 1...1_000 {
            values[number] = -number
            #expect(values[0] == 0, "used all the time")
            #expect(values.count <= 20)
        }
        #expect(values[1] == nil)
        #expect(values[1_000] == -1_000)
        values[1_000] = nil
        #expect(values[1_000] == nil)
    }
}
