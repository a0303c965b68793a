import Glibc
import NIOCore

/// Cuts a byte stream into lines.
///
/// A line longer than the limit is reported once, by its first bytes, as soon as it is known to be too long; the rest of
/// it is thrown away up to its end, and the next line is read as if nothing had happened.
struct LineDecoder: NIOSingleStepByteToMessageDecoder {
    enum Line: Equatable {
        /// Without its line end.
        case whole(ByteBuffer)
        /// The beginning of a line that was too long.
        case overlong(ByteBuffer)
        /// What stood behind the last line end when the stream was over.
        case unfinished(ByteBuffer)
    }

    typealias InboundOut = Line

    /// How much of an overlong line is reported.
    static let keptOctets = 4_096

    /// In bytes, the line end aside.
    let maximumOctets: Int
    /// Bytes at the front of the buffer that hold no line end.
    private var scanned = 0
    private var isDiscarding = false

    init(maximumOctets: Int) {
        self.maximumOctets = maximumOctets
    }

    mutating func decode(buffer: inout ByteBuffer) -> Line? {
        if self.isDiscarding {
            guard let end = buffer.lineEnd(from: 0) else {
                buffer.moveReaderIndex(to: buffer.writerIndex)
                return nil
            }
            buffer.moveReaderIndex(forwardBy: end + 1)
            self.isDiscarding = false
        }
        guard let end = buffer.lineEnd(from: self.scanned) else {
            self.scanned = buffer.readableBytes
            guard self.scanned > self.maximumOctets else { return nil }
            self.isDiscarding = true
            return self.overlong(&buffer, skipping: self.scanned)
        }
        self.scanned = 0
        guard end <= self.maximumOctets else { return self.overlong(&buffer, skipping: end + 1) }
        let line = buffer.readSlice(length: end) ?? ByteBuffer()
        buffer.moveReaderIndex(forwardBy: 1)
        return .whole(line)
    }

    private mutating func overlong(_ buffer: inout ByteBuffer, skipping count: Int) -> Line {
        // A copy: a slice would keep all of the line in memory.
        let kept = ByteBuffer(bytes: buffer.readableBytesView.prefix(min(Self.keptOctets, self.maximumOctets)))
        buffer.moveReaderIndex(forwardBy: count)
        self.scanned = 0
        return .overlong(kept)
    }

    mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) -> Line? {
        if let line = self.decode(buffer: &buffer) { return line }
        guard seenEOF, buffer.readableBytes > 0 else { return nil }
        self.scanned = 0
        return .unfinished(buffer.readSlice(length: buffer.readableBytes) ?? ByteBuffer())
    }
}

extension ByteBuffer {
    /// The offset of the first line feed at or behind `offset`.
    func lineEnd(from offset: Int) -> Int? { self.firstOffset(of: UInt8(ascii: "\n"), from: offset) }

    /// The offset of the first such byte at or behind `offset`.
    func firstOffset(of byte: UInt8, from offset: Int) -> Int? {
        self.withUnsafeReadableBytes { bytes in
            guard offset < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + offset, CInt(byte), bytes.count - offset)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
