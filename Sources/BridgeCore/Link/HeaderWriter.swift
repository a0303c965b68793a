import NIOCore

/// Writes the members of a header, in the order in which they are read.
package struct HeaderWriter {
    private var buffer: ByteBuffer

    package init(capacity: Int) {
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
        if value < 0 { self.buffer.writeInteger(UInt8(ascii: "-")) }
        self.buffer.writeDecimal(value.magnitude)
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
        let isFirst = self.buffer.writerIndex == 1
        let count = key.utf8CodeUnitCount
        self.buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count + 4) { output in
            var end = 0
            if !isFirst {
                output[end] = UInt8(ascii: ",")
                end += 1
            }
            output[end] = UInt8(ascii: "\"")
            end += 1
            UnsafeMutableRawBufferPointer(rebasing: output[end...])
                .copyMemory(from: UnsafeRawBufferPointer(start: key.utf8Start, count: count))
            end += count
            output[end] = UInt8(ascii: "\"")
            output[end + 1] = UInt8(ascii: ":")
            return end + 2
        }
    }
}
