import Testing

@testable import BridgeProcess

@Suite("Orphan ledger") struct OrphanLedgerTests {
    private let first = ProcessIdentity(pid: 10, startTime: 1)
    private let second = ProcessIdentity(pid: 11, startTime: 2)
    private let start = SuspendingClock.now
    private let grace = Duration.seconds(1)

    @Test func `a dead process is reaped after its grace`() {
        var ledger = OrphanLedger()
        let now = self.look(&ledger, [self.first], after: .zero)
        #expect(now.reap == [])
        #expect(now.lookAgain == self.start + self.grace)
        let later = self.look(&ledger, [self.first, self.second], after: .milliseconds(600))
        #expect(later.reap == [])
        #expect(later.lookAgain == self.start + .milliseconds(1600))
        #expect(self.look(&ledger, [self.first, self.second], after: .seconds(1)).reap == [self.first])
        #expect(self.look(&ledger, [self.second], after: .milliseconds(1600)).reap == [self.second])
    }

    @Test func `one that somebody else reaped is forgotten`() {
        var ledger = OrphanLedger()
        _ = self.look(&ledger, [self.first], after: .zero)
        #expect(self.look(&ledger, [], after: .seconds(1)).reap == [])
        // The same number again: a new process with a grace of its own.
        let again = ProcessIdentity(pid: self.first.pid, startTime: 99)
        #expect(self.look(&ledger, [again], after: .seconds(2)).reap == [])
    }

    @Test func `without grace it is reaped at once`() {
        var ledger = OrphanLedger()
        let result = ledger.looked(dead: [self.first], at: self.start, grace: .zero)
        #expect(result.reap == [self.first])
        #expect(result.lookAgain == nil)
    }

    private func look(
        _ ledger: inout OrphanLedger,
        _ dead: Set<ProcessIdentity>,
        after time: Duration
    ) -> (reap: Set<ProcessIdentity>, lookAgain: SuspendingClock.Instant?) {
        ledger.looked(dead: dead, at: self.start + time, grace: self.grace)
    }
}
