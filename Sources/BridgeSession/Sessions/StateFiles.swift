import BridgeFiles
import BridgeMCP
import NIOCore
import NIOPosix

/// The session worker's two files, written by one thread of their own: the event loop never waits for a disk.
///
/// Both are created with mode 0600.
final class StateFiles: Sendable {
    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let journalPath: String
    private let cachePath: String

    init(journalPath: String, cachePath: String) {
        self.journalPath = journalPath
        self.cachePath = cachePath
    }

    /// Appends to the session journal; the future succeeds once the bytes are on the disk.
    func append(_ lines: ByteBuffer, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let path = self.journalPath
        return self.thread.runIfActive(eventLoop: loop) { try PrivateFile.append(path, lines.readableBytesView) }
    }

    /// Replaces the session journal, all or nothing. Lines appended before are in `lines`, later ones follow them.
    func replaceJournal(with lines: ByteBuffer, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let path = self.journalPath
        return self.thread.runIfActive(eventLoop: loop) { try PrivateFile.replace(path, with: lines.readableBytesView) }
    }

    /// Replaces the cache of lists, all or nothing.
    func replaceCache(with cache: CatalogueCache, updatedAt: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let path = self.cachePath
        return self.thread.runIfActive(eventLoop: loop) {
            try PrivateFile.replace(path, with: cache.serialized(updatedAt: updatedAt).readableBytesView)
        }
    }

    /// What both files say.
    struct State {
        var ledger: SessionLedger
        var tasks = TaskLedger()
        var cache: CatalogueCache
    }

    /// Reads both files as they are now, leaves the journal compacted and makes ready to write. Blocks: for the time
    /// before the worker is ready. A cache that cannot be read is an empty one.
    ///
    /// - Parameters:
    ///   - ledger: an empty one, into which the journal is folded.
    ///   - offerings: whose lists are taken from the cache.
    func load(
        into ledger: SessionLedger, offerings: [Offering], now: UInt64
    ) throws -> State {
        var ledger = ledger
        var tasks = TaskLedger()
        if let journal = try WholeFile.readIfPresent(self.journalPath, limit: .max) {
            var rest = ByteBuffer(bytes: journal)
            while let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                if let line = rest.readSlice(length: end - rest.readerIndex) {
                    ledger.replay(line)
                    tasks.replay(line)
                }
                rest.moveReaderIndex(forwardBy: 1)
            }
            ledger.forgetExpired(now: now)
            tasks.forgetExpired(now: now)
            var lines = ledger.compacted(now: now)
            lines.writeImmutableBuffer(tasks.compacted(now: now))
            do {
                try PrivateFile.replace(self.journalPath, with: lines.readableBytesView)
            } catch {
                // On a full disk the journal stays as long as it was, and true. Half a line would swallow the next one.
                let whole = journal.count - rest.readableBytes
                if whole < journal.count { try? PrivateFile.cut(self.journalPath, to: whole) }
            }
        }
        let cached = (try? WholeFile.readIfPresent(self.cachePath, limit: .max)) ?? nil
        self.thread.start()
        let cache = cached.map { CatalogueCache(parsing: ByteBuffer(bytes: $0), of: offerings) }
        return State(ledger: ledger, tasks: tasks, cache: cache ?? CatalogueCache(of: offerings))
    }
}
