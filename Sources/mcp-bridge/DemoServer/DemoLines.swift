import NIOCore

/// Cuts what arrives into lines. Fed; it never reads.
struct DemoLines {
    enum Line: Equatable {
        /// Without its line break, never empty.
        case complete(ByteBuffer)
        /// Longer than ``maximumLength``; its bytes are gone.
        case tooLong
    }

    static let maximumLength = 64 << 20
    private static let chunk = 64 << 10

    private let limit: Int
    private var buffer = ByteBuffer()
    /// How much of `buffer` is known to hold no line break.
    private var searched = 0
    private var isSkipping = false

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
            if self.isSkipping {
                self.isSkipping = false
                return .tooLong
            }
            if line.readableBytes > self.limit { return .tooLong }
            if line.readableBytes > 0 { return .complete(line) }
        }
        if self.buffer.readableBytes > self.limit {
            self.isSkipping = true
            self.buffer.clear()
            self.searched = 0
        }
        return nil
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
