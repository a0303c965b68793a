package import NIOCore

extension Frame {
    /// Appends the frame, its length field included, with the payload's bytes as they are.
    ///
    /// - Parameter inlinePayload: false leaves the payload's bytes and the closing brace out, for a caller that writes
    ///   them on its own (``Frame/tail``); the length field counts them all the same.
    package func encode(into buffer: inout ByteBuffer, inlinePayload: Bool = true) {
        let written = inlinePayload ? self.payload : nil
        let deferred = inlinePayload ? 0 : self.payload.map { $0.readableBytes + 1 } ?? 0
        let room = EnvelopeWriter.room + self.header.readableBytes + (written?.readableBytes ?? 0)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { output in
            var writer = EnvelopeWriter(output)
            self.writeEnvelope(&writer, hasPayload: self.payload != nil)
            if let written { writer.put(written) }
            if deferred == 0 { writer.put("}") }
            return writer.finish(adding: deferred)
        }
    }

    /// Appends the frame with a payload that `body` appends, without a buffer of its own.
    ///
    /// - Parameters:
    ///   - octets: about how many bytes `body` appends.
    ///   - body: appends one JSON value and takes nothing away.
    package func encode(into buffer: inout ByteBuffer, octets: Int, writing body: (inout ByteBuffer) -> Void) {
        let start = buffer.writerIndex
        buffer.writeWithUnsafeMutableBytes(
            minimumWritableBytes: EnvelopeWriter.room + self.header.readableBytes + octets
        ) { output in
            var writer = EnvelopeWriter(output)
            self.writeEnvelope(&writer, hasPayload: true)
            return writer.finish(adding: 0)
        }
        let payload = buffer.writerIndex
        body(&buffer)
        if buffer.writerIndex <= payload { buffer.writeStaticString("null") }
        buffer.writeInteger(UInt8(ascii: "}"))
        buffer.setInteger(UInt32(buffer.writerIndex - start - 4), at: start)
    }

    /// All up to the payload.
    @inline(__always)
    private func writeEnvelope(_ writer: inout EnvelopeWriter, hasPayload: Bool) {
        writer.put(self.kind.opening)
        writer.put(self.exchange)
        if let bulk = self.bulk {
            writer.put(",\"b\":")
            writer.put(UInt64(bulk))
        }
        if self.kind == .credit || (self.kind == .open && self.bulk != nil) {
            writer.put(",\"n\":")
            writer.put(UInt64(UInt32(clamping: self.messages)))
            writer.put(",\"o\":")
            writer.put(UInt64(UInt32(clamping: self.octets)))
        }
        if self.header.readableBytes > 0 {
            writer.put(",\"h\":")
            writer.put(self.header)
        }
        if hasPayload { writer.put(",\"m\":") }
    }

    /// What follows a payload that was written on its own.
    package static let tail = ByteBuffer(string: "}")
}

/// Writes a frame's length field and its members into room that is large enough. Every write is checked against it.
private struct EnvelopeWriter {
    /// More than everything but header and payload takes.
    static let room = 160

    private let output: UnsafeMutableRawBufferPointer
    /// Behind the length field, which is written last.
    private var end = 4

    @inline(__always)
    init(_ output: UnsafeMutableRawBufferPointer) { self.output = output }

    @inline(__always)
    mutating func put(_ literal: StaticString) {
        self.put(UnsafeRawBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func put(_ bytes: ByteBuffer) { bytes.withUnsafeReadableBytes { self.put($0) } }

    @inline(__always)
    private mutating func put(_ bytes: UnsafeRawBufferPointer) {
        UnsafeMutableRawBufferPointer(rebasing: self.output[self.end...]).copyMemory(from: bytes)
        self.end += bytes.count
    }

    @inline(__always)
    mutating func put(_ number: UInt64) {
        self.end += Decimal.write(number, to: UnsafeMutableRawBufferPointer(rebasing: self.output[self.end...]))
    }

    /// - Parameter following: so many bytes of the frame are written by somebody else.
    /// - Returns: how many are written here.
    @inline(__always)
    func finish(adding following: Int) -> Int {
        let length = UInt32(self.end - 4 + following)
        self.output.storeBytes(of: length.bigEndian, as: UInt32.self)
        return self.end
    }
}

extension Frame.Kind {
    fileprivate var opening: StaticString {
        switch self {
        case .hello: "{\"k\":\"hello\",\"x\":"
        case .open: "{\"k\":\"open\",\"x\":"
        case .message: "{\"k\":\"message\",\"x\":"
        case .end: "{\"k\":\"end\",\"x\":"
        case .cancel: "{\"k\":\"cancel\",\"x\":"
        case .credit: "{\"k\":\"credit\",\"x\":"
        case .bulk: "{\"k\":\"bulk\",\"x\":"
        case .want: "{\"k\":\"want\",\"x\":"
        case .grant: "{\"k\":\"grant\",\"x\":"
        }
    }
}

/// Numbers as their digits, without a string of them.
enum Decimal {
    /// Of the largest number.
    static let maximumDigits = 20

    /// - Parameter output: has room for the digits.
    /// - Returns: how many there are.
    @inline(__always)
    static func write(_ number: UInt64, to output: UnsafeMutableRawBufferPointer) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while count < Self.maximumDigits, number >= bound {
            count += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        var rest = number
        var at = count
        while at > 0 {
            at -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            output[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
        return count
    }
}

extension ByteBuffer {
    /// Appends the decimal digits of a number, without making a string of it.
    package mutating func writeDecimal(_ number: some UnsignedInteger) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: Decimal.maximumDigits) { output in
            Decimal.write(UInt64(truncatingIfNeeded: number), to: output)
        }
    }
}
