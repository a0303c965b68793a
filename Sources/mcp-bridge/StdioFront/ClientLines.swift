import NIOCore

/// Cuts what arrives into lines. Fed; it never reads.
struct ClientLines {
    enum Line: Equatable {
        /// Without its line break, never empty.
        case complete(ByteBuffer)
        /// Longer than ``maximumLength``; its bytes are gone, and it has been read along.
        case tooLong(LongLine)
    }

    static let maximumLength = 64 << 20
    private static let chunk = 64 << 10

    private let limit: Int
    private var buffer = ByteBuffer()
    /// How much of `buffer` is known to hold no line break.
    private var searched = 0
    /// The line that is being skipped.
    private var skipped: LongLine?

    init(maximumLength: Int = Self.maximumLength) {
        self.limit = maximumLength
    }

    /// Gives room to `read`, which says how much of it was used; what is not positive is only passed on.
    mutating func fill(_ read: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        // A long line must not keep its memory once it has been served.
        if self.buffer.readableBytes == 0, self.buffer.capacity > Self.chunk * 4 { self.buffer = ByteBuffer() }
        self.buffer.discardReadBytes()
        var result = 0
        self.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.chunk) { room in
            result = read(room)
            return max(0, result)
        }
        return result
    }

    mutating func next() -> Line? {
        while let line = self.cut() {
            if let line = self.line(line) { return line }
        }
        if self.skipped != nil || self.buffer.readableBytes > self.limit {
            self.skipped = Self.skip(self.buffer, behind: self.skipped)
            self.buffer.clear()
            self.searched = 0
        }
        return nil
    }

    /// What is left when nothing more comes: a line without its end.
    mutating func rest() -> Line? {
        defer {
            self.buffer.clear()
            self.searched = 0
        }
        return self.line(self.buffer)
    }

    private mutating func line(_ bytes: ByteBuffer) -> Line? {
        if self.skipped != nil || bytes.readableBytes > self.limit {
            defer { self.skipped = nil }
            return .tooLong(Self.skip(bytes, behind: self.skipped))
        }
        return bytes.readableBytes > 0 ? .complete(bytes) : nil
    }

    private static func skip(_ bytes: ByteBuffer, behind skipped: LongLine?) -> LongLine {
        var skipped = skipped ?? LongLine()
        skipped.read(bytes)
        return skipped
    }

    /// The next line, if its end has arrived.
    private mutating func cut() -> ByteBuffer? {
        let unsearched = self.buffer.readableBytesView.dropFirst(self.searched)
        guard let end = unsearched.firstIndex(of: UInt8(ascii: "\n")) else {
            self.searched = self.buffer.readableBytes
            return nil
        }
        self.searched = 0
        let line = self.buffer.readSlice(length: end - self.buffer.readerIndex)
        self.buffer.moveReaderIndex(forwardBy: 1)
        return line
    }
}
