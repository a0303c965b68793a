import NIOCore
import Testing

@testable import BridgeCore

@Suite("Session ledger") struct SessionLedgerTests {
    private func replayed(_ journal: ByteBuffer) -> SessionLedger {
        var ledger = SessionLedger()
        for line in journal.readableBytesView.split(separator: UInt8(ascii: "\n")) {
            ledger.replay(ByteBuffer(bytes: line))
        }
        return ledger
    }

    @Test(arguments: 0..<30)
    func `is the same after its journal has been replayed, compacted or not`(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var ledger = SessionLedger()
        var journal = ByteBuffer()
        for _ in 0..<300 {
            let sessions: [UInt64] = [0, 1, 2, 3, 1 << 63, .max]
            let session = sessions.randomElement(using: &random) ?? 0
            if Int.random(in: 0..<20, using: &random) == 0 {
                journal.writeImmutableBuffer(ledger.end(session, expires: 5_000))
            } else if let level = LogSeverity.allCases.randomElement(using: &random),
                let line = ledger.set(level, for: session, expires: 5_000)
            {
                journal.writeImmutableBuffer(line)
            }
        }
        #expect(self.replayed(journal).entries == ledger.entries)
        let compacted = ledger.compacted(now: 100)
        #expect(compacted.readableBytes <= journal.readableBytes)
        #expect(self.replayed(compacted).entries == ledger.entries)
    }

    @Test func `remembers what has ended, whatever comes after`() {
        var ledger = SessionLedger()
        #expect(!ledger.isEnded(7))
        let line = ledger.end(7, expires: 1_000)
        #expect(ledger.isEnded(7))
        let after = ledger.set(.error, for: 7, expires: 1_000)
        #expect(after == nil)
        #expect(ledger.level(of: 7) == nil)
        var late = self.replayed(line)
        late.replay(ByteBuffer(string: #"{"s":"7","x":1000,"level":"error"}"#))
        #expect(late.isEnded(7))
    }

    @Test func `writes nothing for a level that is set already`() {
        var ledger = SessionLedger()
        let first = ledger.set(.warning, for: 1, expires: 9)
        let again = ledger.set(.warning, for: 1, expires: 9)
        let other = ledger.set(.debug, for: 1, expires: 9)
        #expect(first.map { String(buffer: $0) } == #"{"s":"1","x":9,"level":"warning"}"# + "\n")
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

    @Test func `forgets on compaction what has expired, and only that`() {
        var ledger = SessionLedger()
        _ = ledger.end(1, expires: 100)
        _ = ledger.end(2, expires: 101)
        _ = ledger.set(.info, for: 3, expires: 99)
        let journal = ledger.compacted(now: 100)
        #expect(String(buffer: journal) == #"{"s":"2","x":101,"ended":true}"# + "\n")
        #expect(ledger.entries.count == 1)
    }

    @Test func `knows the lowest level that a live session asked for`() {
        var ledger = SessionLedger()
        #expect(ledger.lowestLevel(now: 0) == nil)
        _ = ledger.set(.error, for: 1, expires: 100)
        _ = ledger.set(.info, for: 2, expires: 100)
        _ = ledger.set(.debug, for: 3, expires: 50)
        #expect(ledger.lowestLevel(now: 50) == .info)
        _ = ledger.end(2, expires: 100)
        #expect(ledger.lowestLevel(now: 50) == .error)
    }

    @Test func `is bounded: the entries that expire first are forgotten`() {
        var ledger = SessionLedger()
        let most = SessionLedger.maximumEntries
        for number in 0..<UInt64(most) { _ = ledger.end(number, expires: 1_000 + number) }
        #expect(ledger.entries.count == most)
        _ = ledger.end(UInt64(most), expires: 1_000 + UInt64(most))
        #expect(ledger.entries.count <= most)
        #expect(!ledger.isEnded(0))
        #expect(ledger.isEnded(UInt64(most)))
        #expect(ledger.isEnded(UInt64(most) / 2))
    }
}
