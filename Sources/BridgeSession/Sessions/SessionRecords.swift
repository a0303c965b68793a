import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// What outlives the worker of sessions: which have ended, the levels that were set, and what was subscribed to. The
/// ledger says it, the journal keeps it. Confined to the event loop.
final class SessionRecords {
    /// When the journal has grown by this many bytes, it is compacted.
    private static let journalAllowance = 32 << 20

    private var ledger: SessionLedger
    private let journal: JournalWriter
    private let loop: any EventLoop
    private let logger: Logger
    /// What else stands in the journal.
    var further: (() -> ByteBuffer)?

    init(_ ledger: SessionLedger, journal: JournalWriter, loop: any EventLoop, logger: Logger) {
        self.ledger = ledger
        self.journal = journal
        self.loop = loop
        self.logger = logger
    }

    func isEnded(_ session: UInt64) -> Bool { self.ledger.isEnded(session) }
    func level(of session: UInt64) -> LogSeverity? { self.ledger.level(of: session) }
    /// Of the levels that sessions have set.
    var lowestLevel: LogSeverity? { self.ledger.lowestLevel }

    /// Ends a session. The future succeeds once that is on the disk; it fails when it cannot be written, or when there is
    /// no room in the ledger, and then nothing has changed.
    func end(_ claims: SessionClaims) -> EventLoopFuture<Void> {
        let before = self.ledger.entries[claims.number]
        let line: ByteBuffer
        do {
            line = try self.ledger.end(claims.number, of: claims.principal, expires: claims.expires)
        } catch {
            return self.loop.makeFailedFuture(error)
        }
        let written = self.journal.append(line)
        written.assumeIsolated().whenFailure { _ in self.ledger.takeBack(claims.number, before) }
        return written
    }

    /// Sets a session's level. It counts from now on; that it is written is not waited for.
    func set(_ level: LogSeverity, of claims: SessionClaims) throws(LedgerFull) {
        self.write(
            try self.ledger.set(
                level, for: claims.number, of: claims.principal, expires: claims.expires,
                endsWithStream: claims.endsWithStream))
    }

    /// Sets what a session has subscribed to, in the same way.
    func set(_ topics: [ResourceTopic], of claims: SessionClaims) throws(LedgerFull) {
        self.write(
            try self.ledger.set(
                topics, for: claims.number, of: claims.principal, expires: claims.expires,
                endsWithStream: claims.endsWithStream))
    }

    /// Forgets a session that ended with its stream.
    func forget(_ session: UInt64) { self.write(self.ledger.forget(session)) }

    /// The sessions that end with their streams, as far as something is remembered of them.
    var streamed: [UInt64] { self.ledger.streamed }

    /// A principal's sessions that are not over, as far as something is remembered of them.
    func sessions(of principal: String) -> [UInt64] {
        self.ledger.entries.filter { $0.value.principal == principal && !$0.value.ended }.map(\.key)
    }

    /// What sessions that are not over have subscribed to.
    var topics: [UInt64: [ResourceTopic]] {
        self.ledger.entries.filter { !$0.value.topics.isEmpty && !$0.value.ended }.mapValues(\.topics)
    }

    /// What is remembered that a session has subscribed to.
    func topics(of session: UInt64) -> [ResourceTopic] { self.ledger.entries[session]?.topics ?? [] }

    private func write(_ line: ByteBuffer?) {
        guard let line else { return }
        let logger = self.logger
        self.journal.append(line).whenFailure { error in
            logger.error("Session journal cannot be written", metadata: ["error": "\(error)"])
        }
    }

    /// - Returns: the sessions that have expired.
    func forgetExpired() -> [UInt64] { self.ledger.forgetExpired(now: WallClock.seconds()) }

    /// Compacts a journal that has become long.
    func compactIfLong() {
        guard self.journal.growth > Self.journalAllowance else { return }
        let logger = self.logger
        var lines = self.ledger.compacted(now: WallClock.seconds())
        if let further = self.further?() { lines.writeImmutableBuffer(further) }
        self.journal.compact(to: lines).whenFailure {
            logger.error("Session journal cannot be compacted", metadata: ["error": "\($0)"])
        }
    }

    /// Succeeds once everything has been written, or has failed to be.
    func finish() -> EventLoopFuture<Void> { self.journal.finish() }
}
