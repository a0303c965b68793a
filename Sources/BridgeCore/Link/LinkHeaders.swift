import NIOCore

/// A header of the link: a small JSON object whose members have a fixed order, so that it is written and read in one pass.
///
/// Both ends are the same executable. A reader therefore expects each member in its place, and may find it absent; what it
/// does not expect ends the reading, and whatever stands behind it counts as absent.
package protocol LinkHeader: Sendable {
    func write(to header: inout HeaderWriter)
    /// - Returns: nil where the operation, or what it cannot do without, is not there.
    init?(reading header: inout HeaderReader)
}

extension LinkHeader {
    package var text: JSONText {
        var writer = HeaderWriter()
        self.write(to: &writer)
        return writer.finish()
    }

    package init?(_ text: JSONText) {
        var reader = HeaderReader(text)
        self.init(reading: &reader)
    }
}

/// Writes the members of a header, in the order in which they are read.
package struct HeaderWriter {
    private var buffer: ByteBuffer
    private var isEmpty = true

    package init(capacity: Int = 256) {
        self.buffer = ByteBufferAllocator().buffer(capacity: capacity)
        self.buffer.writeInteger(UInt8(ascii: "{"))
    }

    package mutating func finish() -> JSONText {
        self.buffer.writeInteger(UInt8(ascii: "}"))
        return JSONText(trusting: self.buffer)
    }

    package mutating func member(_ key: StaticString, _ value: String?) {
        guard let value else { return }
        self.key(key)
        self.buffer.writeJSONString(value)
    }

    package mutating func member(_ key: StaticString, _ value: Int?) {
        guard let value else { return }
        self.key(key)
        if let small = UInt32(exactly: value) {
            self.buffer.writeDecimal(small)
        } else {
            self.buffer.writeString(String(value))
        }
    }

    /// Written only when it is true.
    package mutating func flag(_ key: StaticString, _ value: Bool) {
        guard value else { return }
        self.key(key)
        self.buffer.writeStaticString("true")
    }

    /// Any value, as it is written.
    package mutating func member(_ key: StaticString, _ value: JSONText?) {
        guard let value else { return }
        self.key(key)
        value.write(to: &self.buffer)
    }

    private mutating func key(_ key: StaticString) {
        if !self.isEmpty { self.buffer.writeInteger(UInt8(ascii: ",")) }
        self.isEmpty = false
        self.buffer.writeInteger(UInt8(ascii: "\""))
        self.buffer.writeStaticString(key)
        self.buffer.writeStaticString("\":")
    }
}

/// Reads the members of a header, in the order in which they were written.
package struct HeaderReader {
    private var buffer: ByteBuffer

    package init(_ header: JSONText) {
        self.buffer = header.bytes
        self.buffer.moveReaderIndex(forwardBy: min(1, self.buffer.readableBytes))
    }

    package mutating func string(_ key: StaticString) -> String? {
        guard self.skip(key), let value = self.value(), value.first == UInt8(ascii: "\"") else { return nil }
        return JSONText(trusting: ByteBuffer(value)).string
    }

    package mutating func int(_ key: StaticString) -> Int? {
        guard self.skip(key), let value = self.value() else { return nil }
        return JSONText(trusting: ByteBuffer(value)).int
    }

    package mutating func flag(_ key: StaticString) -> Bool {
        guard self.skip(key), let value = self.value() else { return false }
        return value.first == UInt8(ascii: "t")
    }

    /// Any value, as it was written.
    package mutating func json(_ key: StaticString) -> JSONText? {
        guard self.skip(key), let value = self.value() else { return nil }
        return JSONText(trusting: ByteBuffer(value))
    }

    /// Passes over the key, if it is the next, and the comma before it.
    private mutating func skip(_ key: StaticString) -> Bool {
        let length = key.utf8CodeUnitCount
        let skipped = self.buffer.withUnsafeReadableBytes { bytes -> Int? in
            var at = 0
            if at < bytes.count, bytes[at] == UInt8(ascii: ",") { at += 1 }
            guard bytes.count >= at + length + 3, bytes[at] == UInt8(ascii: "\""),
                bytes[at + length + 1] == UInt8(ascii: "\""), bytes[at + length + 2] == UInt8(ascii: ":"),
                UnsafeRawBufferPointer(rebasing: bytes[(at + 1)...(at + length)])
                    .elementsEqual(UnsafeRawBufferPointer(start: key.utf8Start, count: length))
            else { return nil }
            return at + length + 3
        }
        guard let skipped else { return false }
        self.buffer.moveReaderIndex(forwardBy: skipped)
        return true
    }

    /// The value that is next.
    private mutating func value() -> ByteBufferView? {
        let length = self.buffer.withUnsafeReadableBytes { bytes -> Int? in
            JSONBytes(bytes).map { JSONSkipper($0).value(at: 0).upperBound }
        }
        return length.flatMap { self.buffer.readSlice(length: $0)?.readableBytesView }
    }
}
