package import NIOCore

extension Frame {
    /// Reads one frame's JSON object, the length field already removed.
    ///
    /// The envelope is read; the payload is not looked at: the process that put it into a frame has validated it.
    package init(parsing object: ByteBuffer) throws(FrameError) {
        try self.init(parsing: object, at: object.readerIndex, length: object.readableBytes)
    }

    /// Reads the object of so many bytes at an index of a buffer.
    fileprivate init(parsing buffer: ByteBuffer, at start: Int, length: Int) throws(FrameError) {
        let envelope = buffer.withUnsafeReadableBytes { bytes -> FrameEnvelope? in
            let lower = start - buffer.readerIndex
            guard lower >= 0, length > 0, lower + length <= bytes.count else { return nil }
            return JSONBytes(UnsafeRawBufferPointer(rebasing: bytes[lower..<(lower + length)])).flatMap {
                EnvelopeReader.read($0)
            }
        }
        guard let envelope else { throw .badEnvelope }
        self.kind = envelope.kind
        self.exchange = envelope.exchange
        self.bulk = envelope.bulk
        self.messages = Int(envelope.messages)
        self.octets = Int(envelope.octets)
        self.header = try Self.slice(envelope.header, of: buffer, from: start) ?? ByteBuffer()
        self.payload = try Self.slice(envelope.payload, of: buffer, from: start)
    }

    @inline(__always)
    private static func slice(
        _ range: Range<Int>?, of buffer: ByteBuffer, from start: Int
    ) throws(FrameError) -> ByteBuffer? {
        guard let range else { return nil }
        guard let slice = buffer.getSlice(at: start + range.lowerBound, length: range.count) else {
            throw .badEnvelope
        }
        return slice
    }
}

/// What an envelope says, and where its values are, as offsets from its first byte.
private struct FrameEnvelope {
    let kind: Frame.Kind
    var exchange: UInt64 = 0
    var bulk: UInt32?
    var messages: UInt32 = 0
    var octets: UInt32 = 0
    var header: Range<Int>?
    var payload: Range<Int>?

    init(_ kind: Frame.Kind) { self.kind = kind }
}

/// Walks once over an envelope. Every read is checked against its end.
private struct EnvelopeReader {
    private let bytes: JSONBytes
    private var at = 0

    /// - Returns: nil where the bytes are not of the form that ``Frame`` describes.
    static func read(_ bytes: JSONBytes) -> FrameEnvelope? {
        var reader = EnvelopeReader(bytes)
        return reader.read()
    }

    private init(_ bytes: JSONBytes) { self.bytes = bytes }

    private mutating func read() -> FrameEnvelope? {
        guard self.skip("{\"k\":\""), let kind = self.kind(), self.skip("\",\"x\":") else { return nil }
        var envelope = FrameEnvelope(kind)
        guard let exchange = self.number(upTo: Frame.maximumExchange) else { return nil }
        envelope.exchange = exchange
        if self.skip(",\"b\":") {
            guard let bulk = self.number() else { return nil }
            envelope.bulk = bulk
        }
        if self.skip(",\"n\":") {
            guard let messages = self.number() else { return nil }
            envelope.messages = messages
        }
        if self.skip(",\"o\":") {
            guard let octets = self.number() else { return nil }
            envelope.octets = octets
        }
        if self.skip(",\"h\":") {
            guard let header = self.object() else { return nil }
            envelope.header = header
        }
        // The payload is all that is left but the closing brace.
        let end = self.bytes.count - 1
        guard self.bytes[end] == UInt8(ascii: "}") else { return nil }
        if self.skip(",\"m\":") {
            guard self.at < end else { return nil }
            envelope.payload = self.at..<end
            return envelope
        }
        return self.at == end ? envelope : nil
    }

    @inline(__always)
    private mutating func skip(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard self.at + count <= self.bytes.count,
            self.bytes.equal(self.at, self.at + count, UnsafeBufferPointer(start: literal.utf8Start, count: count))
        else { return false }
        self.at += count
        return true
    }

    @inline(__always)
    private mutating func kind() -> Frame.Kind? {
        guard self.at < self.bytes.count else { return nil }
        switch self.bytes[self.at] {
        case UInt8(ascii: "o"): return self.skip("open") ? .open : nil
        case UInt8(ascii: "e"): return self.skip("end") ? .end : nil
        case UInt8(ascii: "m"): return self.skip("message") ? .message : nil
        case UInt8(ascii: "c"): return self.skip("credit") ? .credit : self.skip("cancel") ? .cancel : nil
        case UInt8(ascii: "h"): return self.skip("hello") ? .hello : nil
        case UInt8(ascii: "b"): return self.skip("bulk") ? .bulk : nil
        case UInt8(ascii: "w"): return self.skip("want") ? .want : nil
        case UInt8(ascii: "g"): return self.skip("grant") ? .grant : nil
        default: return nil
        }
    }

    @inline(__always)
    private mutating func number() -> UInt32? {
        self.number(upTo: UInt64(UInt32.max)).map { UInt32(truncatingIfNeeded: $0) }
    }

    @inline(__always)
    private mutating func number(upTo limit: UInt64) -> UInt64? {
        let start = self.at
        var value: UInt64 = 0
        while self.at < self.bytes.count {
            let digit = self.bytes[self.at] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            value = value * 10 + UInt64(digit)
            // At most 2^53 before, so far from the end of 64 bits.
            guard value <= limit else { return nil }
            self.at += 1
        }
        let isPlain = self.at == start + 1 || (self.at > start && self.bytes[start] != UInt8(ascii: "0"))
        return isPlain ? value : nil
    }

    /// A JSON object, found by where it ends.
    @inline(__always)
    private mutating func object() -> Range<Int>? {
        guard self.at < self.bytes.count, self.bytes[self.at] == UInt8(ascii: "{") else { return nil }
        let start = self.at
        self.at = JSONSkipper(self.bytes).value(at: start).upperBound
        return start..<self.at
    }
}

/// Cuts a byte stream into frames.
///
/// The length is checked against ``Frame/maximumLength`` before anything is allocated for it.
package struct FrameDecoder: NIOSingleStepByteToMessageDecoder {
    package typealias InboundOut = Frame

    package init() {}

    package mutating func decode(buffer: inout ByteBuffer) throws -> Frame? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt32.self) else { return nil }
        guard length >= 13, length <= UInt32(Frame.maximumLength) else { throw FrameError.badLength(length) }
        let whole = 4 + Int(length)
        guard buffer.readableBytes >= whole else {
            Self.makeRoom(for: whole, in: &buffer)
            return nil
        }
        let frame = try Frame(parsing: buffer, at: buffer.readerIndex + 4, length: Int(length))
        buffer.moveReaderIndex(forwardBy: whole)
        return frame
    }

    /// Makes room for a frame of so many bytes, at once: a buffer that grows step by step leaves its steps behind in the
    /// heap. Pages that nothing is written to cost nothing.
    ///
    /// What has been read already of the buffer is left behind: a payload that is kept would keep it, too.
    private static func makeRoom(for whole: Int, in buffer: inout ByteBuffer) {
        guard buffer.readerIndex + whole > buffer.capacity else { return }
        var room = ByteBufferAllocator().buffer(capacity: whole)
        room.writeImmutableBuffer(buffer)
        buffer = room
    }

    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Frame? {
        if let frame = try self.decode(buffer: &buffer) { return frame }
        if seenEOF, buffer.readableBytes > 0 { throw FrameError.truncated }
        return nil
    }
}
