package import NIOCore

/// Something that a ``JSONWriter`` can write as one value.
package protocol JSONWritable {
    /// Appends exactly one JSON value.
    func write(toJSON buffer: inout ByteBuffer)
}

/// Writes JSON into a buffer without building a tree.
///
/// Commas are its business, nesting is the closures'. Nothing checks that a key is written once.
package struct JSONWriter {
    package private(set) var buffer: ByteBuffer
    private var needsComma = false
    private static let initialCapacity = 256

    /// Appends to `buffer`.
    package init(_ buffer: ByteBuffer = ByteBuffer()) {
        self.buffer = buffer
    }

    /// The object that `body` writes.
    package static func object(_ body: (inout JSONWriter) throws -> Void) rethrows -> JSONText {
        var writer = JSONWriter(ByteBufferAllocator().buffer(capacity: Self.initialCapacity))
        try writer.object(body)
        return JSONText(trusting: writer.buffer)
    }

    /// The array that `body` writes.
    package static func array(_ body: (inout JSONWriter) throws -> Void) rethrows -> JSONText {
        var writer = JSONWriter(ByteBufferAllocator().buffer(capacity: Self.initialCapacity))
        try writer.array(body)
        return JSONText(trusting: writer.buffer)
    }

    /// `value` by itself.
    package static func value(_ value: some JSONWritable) -> JSONText {
        var writer = JSONWriter()
        writer.element(value)
        return JSONText(trusting: writer.buffer)
    }

    /// Writes an object as the whole text or as an element; `body` writes its members.
    package mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try self.container(open: UInt8(ascii: "{"), close: UInt8(ascii: "}"), body)
    }

    /// Writes an array as the whole text or as an element; `body` writes its elements.
    package mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        try self.container(open: UInt8(ascii: "["), close: UInt8(ascii: "]"), body)
    }

    /// Writes one value as the whole text or as an element.
    package mutating func element(_ value: some JSONWritable) {
        self.separate()
        value.write(toJSON: &self.buffer)
    }

    /// Writes one member of an object. A `nil` value is written as `null`.
    package mutating func member(_ key: String, _ value: some JSONWritable) {
        self.key(key)
        value.write(toJSON: &self.buffer)
    }

    /// Writes one member of an object, and nothing at all when there is no value.
    package mutating func member(_ key: String, ifPresent value: (some JSONWritable)?) {
        if let value { self.member(key, value) }
    }

    package mutating func memberNull(_ key: String) {
        self.member(key, JSONText.null)
    }

    /// Writes a member that is an object; `body` writes its members.
    package mutating func memberObject(_ key: String, _ body: (inout JSONWriter) throws -> Void) rethrows {
        self.key(key)
        self.needsComma = false
        try self.object(body)
    }

    /// Writes a member that is an array; `body` writes its elements.
    package mutating func memberArray(_ key: String, _ body: (inout JSONWriter) throws -> Void) rethrows {
        self.key(key)
        self.needsComma = false
        try self.array(body)
    }

    private mutating func container(
        open: UInt8, close: UInt8, _ body: (inout JSONWriter) throws -> Void
    ) rethrows {
        self.separate()
        self.buffer.writeInteger(open)
        self.needsComma = false
        try body(&self)
        self.buffer.writeInteger(close)
        self.needsComma = true
    }

    private mutating func key(_ key: String) {
        self.buffer.writeJSONKey(key, afterComma: self.needsComma)
        self.needsComma = true
    }

    @inline(__always)
    private mutating func separate() {
        if self.needsComma { self.buffer.writeInteger(UInt8(ascii: ",")) }
        self.needsComma = true
    }
}

extension String: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) { buffer.writeJSONString(self) }
}

extension Substring: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) { buffer.writeJSONString(self) }
}

extension Int: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) { buffer.writeString(String(self)) }
}

extension Int64: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) { buffer.writeString(String(self)) }
}

extension UInt64: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) { buffer.writeString(String(self)) }
}

extension Bool: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) { buffer.writeStaticString(self ? "true" : "false") }
}

/// The shortest spelling that reads back as the same value; what is not finite becomes `null`, as JSON has no name for
/// it.
extension Double: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) {
        buffer.writeString(self.isFinite ? self.description : "null")
    }
}

extension JSONText: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) { self.write(to: &buffer) }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) {
        if let self { self.write(toJSON: &buffer) } else { buffer.writeStaticString("null") }
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    package func write(toJSON buffer: inout ByteBuffer) {
        var writer = JSONWriter(buffer)
        buffer = ByteBuffer()
        writer.array { for element in self { $0.element(element) } }
        buffer = writer.buffer
    }
}
