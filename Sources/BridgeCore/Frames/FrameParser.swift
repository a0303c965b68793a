package import NIOCore

extension Frame {
    /// Reads one frame's JSON object, the length field already removed.
    ///
    /// The envelope is read; the payload is not looked at: the process that put it into a frame has validated it.
    package init(parsing object: ByteBuffer) throws(FrameError) {
        var reader = EnvelopeReader(object)
        try reader.expect("{\"k\":\"")
        let kind = try reader.kind()
        try reader.expect("\",\"x\":")
        self.init(kind, exchange: try reader.number())
        if reader.skip(",\"b\":") { self.bulk = try reader.number() }
        if reader.skip(",\"n\":") { self.messages = Int(try reader.number()) }
        if reader.skip(",\"o\":") { self.octets = Int(try reader.number()) }
        if reader.skip(",\"h\":") { self.header = try reader.objectValue() }
        if reader.skip(",\"m\":") { self.payload = try reader.payload() } else { try reader.finish() }
    }
}

/// Walks over an envelope. Every read is checked against the end of the buffer.
private struct EnvelopeReader {
    private var buffer: ByteBuffer

    init(_ buffer: ByteBuffer) { self.buffer = buffer }

    mutating func skip(_ literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard self.buffer.readableBytes >= count else { return false }
        let same = self.buffer.withUnsafeReadableBytes { bytes in
            UnsafeRawBufferPointer(rebasing: bytes[..<count])
                .elementsEqual(UnsafeRawBufferPointer(start: literal.utf8Start, count: count))
        }
        if same { self.buffer.moveReaderIndex(forwardBy: count) }
        return same
    }

    mutating func expect(_ literal: StaticString) throws(FrameError) {
        guard self.skip(literal) else { throw .badEnvelope }
    }

    mutating func kind() throws(FrameError) -> Frame.Kind {
        // The kinds differ in their first letter, save for a few; compare the likeliest first.
        if self.skip("open") { return .open }
        if self.skip("end") { return .end }
        if self.skip("message") { return .message }
        if self.skip("credit") { return .credit }
        if self.skip("cancel") { return .cancel }
        if self.skip("hello") { return .hello }
        if self.skip("bulk") { return .bulk }
        if self.skip("want") { return .want }
        if self.skip("grant") { return .grant }
        throw .badEnvelope
    }

    mutating func number() throws(FrameError) -> UInt32 {
        var value: UInt64 = 0
        var digits = 0
        while let byte = self.buffer.getInteger(at: self.buffer.readerIndex, as: UInt8.self),
            byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9")
        {
            value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
            digits += 1
            guard digits <= 10 else { throw .badEnvelope }
            self.buffer.moveReaderIndex(forwardBy: 1)
        }
        guard digits > 0, value <= UInt64(UInt32.max) else { throw .badEnvelope }
        return UInt32(value)
    }

    /// A JSON object, found by its balanced braces outside strings.
    mutating func objectValue() throws(FrameError) -> ByteBuffer {
        let length = self.buffer.withUnsafeReadableBytes { bytes -> Int? in
            guard bytes.first == UInt8(ascii: "{") else { return nil }
            var depth = 0
            var inString = false
            var at = 0
            while at < bytes.count {
                switch bytes[at] {
                case UInt8(ascii: "\\") where inString: at += 1
                case UInt8(ascii: "\""): inString.toggle()
                case UInt8(ascii: "{") where !inString: depth += 1
                case UInt8(ascii: "}") where !inString:
                    depth -= 1
                    if depth == 0 { return at + 1 }
                default: break
                }
                at += 1
            }
            return nil
        }
        guard let length, let slice = self.buffer.readSlice(length: length) else { throw .badEnvelope }
        return slice
    }

    /// All that is left but the closing brace.
    mutating func payload() throws(FrameError) -> ByteBuffer {
        let count = self.buffer.readableBytes - 1
        guard count > 0, let slice = self.buffer.readSlice(length: count) else { throw .badEnvelope }
        try self.finish()
        return slice
    }

    mutating func finish() throws(FrameError) {
        try self.expect("}")
        guard self.buffer.readableBytes == 0 else { throw .badEnvelope }
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
            // At once: a buffer that grows step by step leaves its steps behind in the heap. Pages that nothing is written
            // to cost nothing.
            buffer.reserveCapacity(minimumWritableBytes: whole - buffer.readableBytes)
            return nil
        }
        buffer.moveReaderIndex(forwardBy: 4)
        guard let object = buffer.readSlice(length: Int(length)) else { return nil }
        return try Frame(parsing: object)
    }

    package mutating func decodeLast(buffer: inout ByteBuffer, seenEOF: Bool) throws -> Frame? {
        if let frame = try self.decode(buffer: &buffer) { return frame }
        if seenEOF, buffer.readableBytes > 0 { throw FrameError.truncated }
        return nil
    }
}
