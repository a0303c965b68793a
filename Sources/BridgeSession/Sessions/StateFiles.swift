import BridgeCore
import BridgeMCP
import Glibc
import NIOCore
import NIOPosix

/// The session worker's two files, written by one thread of their own: the event loop never waits for a disk.
///
/// Both are created with mode 0600.
final class StateFiles: Sendable {
    /// Why a file could not be written.
    struct Failure: Error, CustomStringConvertible {
        let operation: String
        let path: String
        let number: Int32
        var description: String { "\(self.operation) \(self.path): \(String(cString: strerror(self.number)))" }
    }

    /// What makes a file's bytes, and the names in a folder, outlast a power cut. A test passes its own.
    struct Syncing: Sendable {
        var bytes: @Sendable (_ file: Int32) -> Int32 = { fdatasync($0) }
        var names: @Sendable (_ folder: Int32) -> Int32 = { fsync($0) }
    }

    private let thread = NIOThreadPool(numberOfThreads: 1)
    private let journalPath: String
    private let cachePath: String
    private let syncing: Syncing

    init(journalPath: String, cachePath: String, syncing: Syncing = Syncing()) {
        self.journalPath = journalPath
        self.cachePath = cachePath
        self.syncing = syncing
    }

    /// Appends to the session journal; the future succeeds once the bytes are on the disk.
    func append(_ lines: ByteBuffer, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let path = self.journalPath
        return self.thread.runIfActive(eventLoop: loop) {
            let file = try Self.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK)
            defer { Glibc.close(file) }
            let end = lseek(file, 0, SEEK_END)
            do {
                try Self.write(lines, to: file, path: path)
                guard self.syncing.bytes(file) == 0 else { throw Failure(operation: "sync", path: path, number: errno) }
                // An empty one may have been made just now: without its name it would be lost in a power cut.
                if end <= 0 { try self.syncFolder(of: path) }
            } catch {
                // Half a line would swallow the next one.
                if end >= 0 { _ = ftruncate(file, end) }
                throw error
            }
        }
    }

    /// Replaces the session journal, all or nothing. Lines appended before are in `lines`, later ones follow them.
    func replaceJournal(with lines: ByteBuffer, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let path = self.journalPath
        return self.thread.runIfActive(eventLoop: loop) { try self.replace(path, with: lines) }
    }

    /// Replaces the cache of lists, all or nothing.
    func replaceCache(with cache: CatalogueCache, updatedAt: String, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let path = self.cachePath
        return self.thread.runIfActive(eventLoop: loop) {
            try self.replace(path, with: cache.serialized(updatedAt: updatedAt))
        }
    }

    /// Reads both files as they are now, leaves the journal compacted and makes ready to write. Blocks: for the time
    /// before the worker is ready. A cache that cannot be read is an empty one.
    ///
    /// - Parameters:
    ///   - ledger: an empty one, into which the journal is folded.
    ///   - offerings: whose lists are taken from the cache.
    func load(
        into ledger: SessionLedger, offerings: [Offering], now: UInt64
    ) throws -> (ledger: SessionLedger, cache: CatalogueCache) {
        var ledger = ledger
        if let journal = try Self.read(self.journalPath) {
            var rest = journal
            while let end = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
                if let line = rest.readSlice(length: end - rest.readerIndex) { ledger.replay(line) }
                rest.moveReaderIndex(forwardBy: 1)
            }
            // On a full disk the journal stays as long as it was, and true.
            try? self.replace(self.journalPath, with: ledger.compacted(now: now))
        }
        let cached = (try? Self.read(self.cachePath)) ?? nil
        self.thread.start()
        let cache = cached.map { CatalogueCache(parsing: $0, of: offerings) } ?? CatalogueCache(of: offerings)
        return (ledger, cache)
    }

    // MARK: System calls

    /// The file's bytes; nil where there is no such file.
    private static func read(_ path: String) throws -> ByteBuffer? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw Failure(operation: "open", path: path, number: errno)
        }
        defer { Glibc.close(file) }
        // A pipe that nobody writes to would be waited for.
        var status = stat()
        guard fstat(file, &status) == 0 else { throw Failure(operation: "stat", path: path, number: errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(operation: "not a regular file:", path: path, number: EINVAL)
        }
        var bytes = ByteBuffer()
        while true {
            var result = 0
            bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: 64 << 10) { room in
                result = Glibc.read(file, room.baseAddress, room.count)
                return max(0, result)
            }
            if result == 0 { return bytes }
            if result < 0, errno != EINTR { throw Failure(operation: "read", path: path, number: errno) }
        }
    }

    private static func open(_ path: String, _ flags: Int32) throws -> Int32 {
        let file = Glibc.open(path, flags, 0o600)
        guard file >= 0 else { throw Failure(operation: "open", path: path, number: errno) }
        return file
    }

    private static func write(_ bytes: ByteBuffer, to file: Int32, path: String) throws {
        var rest = bytes
        while rest.readableBytes > 0 {
            let count = rest.withUnsafeReadableBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure(operation: "write", path: path, number: errno) }
            rest.moveReaderIndex(forwardBy: count)
        }
    }

    private func replace(_ path: String, with bytes: ByteBuffer) throws {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let temporary = "\(path).\(getpid()).\(now.tv_sec * 1_000 + now.tv_nsec / 1_000_000).tmp"
        let file = try Self.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
        do {
            defer { Glibc.close(file) }
            try Self.write(bytes, to: file, path: temporary)
            guard self.syncing.bytes(file) == 0 else {
                throw Failure(operation: "sync", path: temporary, number: errno)
            }
        } catch {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, path) == 0 else {
            let number = errno
            unlink(temporary)
            throw Failure(operation: "rename", path: path, number: number)
        }
        try self.syncFolder(of: path)
    }

    /// Makes the names in a file's folder last: until then a power cut may bring back what was replaced.
    private func syncFolder(of path: String) throws {
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let directory = try Self.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { Glibc.close(directory) }
        // Some file systems have nothing to sync about a folder, and say so.
        guard self.syncing.names(directory) == 0 || errno == EINVAL else {
            throw Failure(operation: "sync", path: folder, number: errno)
        }
    }
}
