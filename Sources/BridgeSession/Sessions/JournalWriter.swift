import BridgeCore
import NIOCore

/// Appends to the session journal: what comes up while the disk is busy goes in one write, so that no client can make the
/// queue to the disk grow. Confined to the event loop.
final class JournalWriter {
    private let files: StateFiles
    private let loop: any EventLoop
    private var lines = ByteBuffer()
    /// Told when ``lines`` are on the disk.
    private var written: EventLoopPromise<Void>?
    /// Told when nothing is left to write.
    private var idle: EventLoopPromise<Void>?
    private var isWriting = false
    /// By how many bytes the journal has grown since it was last compacted.
    private(set) var growth = 0

    init(files: StateFiles, loop: any EventLoop) {
        self.files = files
        self.loop = loop
    }

    /// A disk that hangs must not fill the memory.
    private static let maximumWaiting = 4 << 20

    /// More waits for the disk than there is room for.
    struct Full: Error, CustomStringConvertible {
        let description = "the disk does not keep up"
    }

    /// The future succeeds once the line is on the disk.
    func append(_ line: ByteBuffer) -> EventLoopFuture<Void> {
        guard self.lines.readableBytes + line.readableBytes <= Self.maximumWaiting else {
            return self.loop.makeFailedFuture(Full())
        }
        self.growth += line.readableBytes
        self.lines.writeImmutableBuffer(line)
        let written = self.written ?? self.loop.makePromise(of: Void.self)
        self.written = written
        self.writeOn()
        return written.futureResult
    }

    /// Replaces the journal by one that says the same. Lines that still wait are in it, and follow once more: no harm.
    func compact(to journal: ByteBuffer) -> EventLoopFuture<Void> {
        self.growth = 0
        return self.files.replaceJournal(with: journal, on: self.loop)
    }

    /// Succeeds once everything that was appended has been written, or has failed to be.
    func finish() -> EventLoopFuture<Void> {
        guard self.isWriting else { return self.loop.makeSucceededVoidFuture() }
        let idle = self.idle ?? self.loop.makePromise(of: Void.self)
        self.idle = idle
        return idle.futureResult
    }

    private func writeOn() {
        guard !self.isWriting else { return }
        guard let written = self.written else {
            self.idle?.succeed()
            self.idle = nil
            return
        }
        let lines = self.lines
        self.lines = ByteBuffer()
        self.written = nil
        self.isWriting = true
        self.files.append(lines, on: self.loop).assumeIsolated().whenComplete { result in
            self.isWriting = false
            written.completeWith(result)
            self.writeOn()
        }
    }
}
