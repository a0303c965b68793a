import NIOCore

/// Cuts what a child writes to its stderr into lines for the log: truncated, and not more than so many a second.
///
/// Pure: times come in. Beyond the rate a line costs no more than the search for its end.
struct StderrLines {
    /// What of a line is kept, in bytes.
    static let maximumOctets = 8 << 10
    static let perSecond = 100

    private var rate: LineRate
    private var partial = ByteBuffer()

    init(perSecond: Int = StderrLines.perSecond) {
        self.rate = LineRate(perSecond: perSecond)
    }

    var dropped: Int { self.rate.dropped }

    mutating func takeDropped() -> Int { self.rate.takeDropped() }

    mutating func feed(_ chunk: ByteBuffer, now: NIODeadline, emit: (ByteBuffer) -> Void) {
        var rest = chunk
        while let end = rest.lineEnd(from: 0) {
            let piece = rest.readSlice(length: end) ?? ByteBuffer()
            rest.moveReaderIndex(forwardBy: 1)
            self.keep(piece)
            guard self.partial.readableBytes > 0 else { continue }
            if self.rate.admits(now: now) {
                emit(self.partial)
            } else {
                self.skip(&rest)
            }
            self.partial.clear()
        }
        self.keep(rest)
    }

    /// The stream is over: a last line needs no end.
    mutating func finish(now: NIODeadline, emit: (ByteBuffer) -> Void) {
        guard self.partial.readableBytes > 0 else { return }
        if self.rate.admits(now: now) { emit(self.partial) }
        self.partial.clear()
    }

    private mutating func keep(_ piece: ByteBuffer) {
        let room = Self.maximumOctets - self.partial.readableBytes
        guard room > 0, piece.readableBytes > 0 else { return }
        self.partial.writeBytes(piece.readableBytesView.prefix(room))
    }

    /// Counts the remaining whole lines and leaves the last, unfinished one.
    private mutating func skip(_ rest: inout ByteBuffer) {
        let (count, last) = rest.withUnsafeReadableBytes { bytes in
            var count = 0
            for byte in bytes where byte == UInt8(ascii: "\n") { count += 1 }
            return (count, count > 0 ? bytes.lastIndex(of: UInt8(ascii: "\n")) : nil)
        }
        self.rate.drop(count)
        if let last { rest.moveReaderIndex(forwardBy: last + 1) }
    }
}
