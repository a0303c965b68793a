import BridgeMCP
import Logging
import NIOCore

/// The tasks that are remembered beyond the worker's life: the ledger says which, the journal keeps it. Confined to the
/// event loop.
final class TaskRecords {
    private var ledger: TaskLedger
    private let journal: JournalWriter
    private let logger: Logger

    init(_ ledger: TaskLedger, journal: JournalWriter, logger: Logger) {
        self.ledger = ledger
        self.journal = journal
        self.logger = logger
    }

    var maximumUnderWay: Int { self.ledger.maximumUnderWay }
    /// What the journal is to say of them.
    var compacted: ByteBuffer { self.ledger.compacted(now: WallClock.seconds()) }

    subscript(key: TaskKey) -> TaskLedger.Record? { self.ledger[key] }

    func admits(_ principal: String, further: Int) -> Bool {
        self.ledger.admits(principal, further: further, now: WallClock.seconds())
    }

    func records(of principal: String, behind last: TaskClaims?) -> [TaskLedger.Record] {
        self.ledger.records(of: principal, behind: last)
    }

    /// A server has said how a task is.
    ///
    /// - Parameter ttl: in milliseconds; nil where it is not known or not limited.
    /// - Returns: what succeeds once that is on the disk; nil where nothing had to be written.
    @discardableResult
    func heard(_ claims: TaskClaims, ttl: Int?, isOver: Bool) -> EventLoopFuture<Void>? {
        var record = self.ledger[claims.key] ?? TaskLedger.Record(claims, until: claims.expires)
        if let ttl {
            record.until = min(claims.created + UInt64(min(ttl, TaskMessages.maximumTTL)) / 1_000, claims.expires)
        }
        record.isOver = record.isOver || isOver
        return self.write(self.ledger.put(record, now: WallClock.seconds()))
    }

    func forget(_ key: TaskKey) { _ = self.write(self.ledger.forget(key)) }
    func forgetExpired() { self.ledger.forgetExpired(now: WallClock.seconds()) }

    private func write(_ lines: ByteBuffer?) -> EventLoopFuture<Void>? {
        guard let lines else { return nil }
        let logger = self.logger
        let written = self.journal.append(lines)
        written.whenFailure { error in
            logger.error("Session journal cannot be written", metadata: ["error": "\(error)"])
        }
        return written
    }
}
