package import NIOCore

/// One JSON value, known to be valid, and its bytes, unchanged (surrounding white space trimmed; no byte order mark).
///
/// Equality is of the bytes: `1.0` and `1` differ, and so do two orders of the same members.
package struct JSONText: Sendable, Hashable {
    /// The readable bytes are exactly the value.
    package let bytes: ByteBuffer
    package let kind: JSONKind
    /// Whether half of a surrogate pair may be in it, as an escape. Known of what has been validated, and of its parts.
    package let mayHaveHalfPairs: Bool

    /// Checks `bytes` in one pass. Error offsets count from the first readable byte.
    package init(validating bytes: ByteBuffer, limits: JSONLimits = .standard) throws(JSONError) {
        let outcome = bytes.withUnsafeReadableBytes { input in
            Result { () throws(JSONError) in try JSONValidator.validate(input, limits: limits) }
        }
        let (span, hasHalfPairs) = try outcome.get()
        self.bytes = bytes.slice(of: span)
        self.kind = span.kind
        self.mayHaveHalfPairs = hasHalfPairs
    }

    /// Checks the value that `bytes` begin with in one pass, and leaves what follows alone. Error offsets count from the
    /// first readable byte.
    ///
    /// - Returns: the value, and where what follows begins, white space aside.
    package static func leading(
        _ bytes: ByteBuffer, limits: JSONLimits = .standard
    ) throws(JSONError) -> (text: JSONText, rest: Int) {
        let outcome = bytes.withUnsafeReadableBytes { input in
            Result { () throws(JSONError) in try JSONValidator.leading(input, limits: limits) }
        }
        let (span, rest, hasHalfPairs) = try outcome.get()
        return (JSONText(trusting: bytes.slice(of: span), mayHaveHalfPairs: hasHalfPairs), rest)
    }

    /// Takes bytes that we have validated or written ourselves: one value, no white space around it.
    ///
    /// - Parameter mayHaveHalfPairs: as it is of the text that they were put together from.
    package init(trusting bytes: ByteBuffer, mayHaveHalfPairs: Bool = false) {
        self.bytes = bytes
        self.kind = JSONKind(firstByte: bytes.getInteger(at: bytes.readerIndex) ?? 0)
        self.mayHaveHalfPairs = mayHaveHalfPairs
    }

    /// The JSON string that stands for `string` (quoted and escaped; not parsed).
    package init(_ string: String) {
        var buffer = ByteBuffer()
        buffer.writeJSONString(string)
        self.init(trusting: buffer)
    }

    package init(_ integer: Int) {
        self.init(trusting: ByteBuffer(string: String(integer)))
    }

    /// JSON written out in the source, `JSONText(literal: #"{"open":true}"#)`. Checked in debug builds only.
    package init(literal: StaticString) {
        let bytes = ByteBuffer(staticString: literal)
        assert((try? JSONText(validating: bytes).bytes) == bytes)
        self.init(trusting: bytes)
    }

    package static let emptyObject = JSONText(literal: "{}")
    package static let emptyArray = JSONText(literal: "[]")
    package static let null = JSONText(literal: "null")
    package static let `true` = JSONText(literal: "true")
    package static let `false` = JSONText(literal: "false")

    /// The value at a span found in this very text. Shares its bytes.
    package subscript(span: JSONSpan) -> JSONText {
        JSONText(bytes: self.bytes.slice(of: span), kind: span.kind, mayHaveHalfPairs: self.mayHaveHalfPairs)
    }

    private init(bytes: ByteBuffer, kind: JSONKind, mayHaveHalfPairs: Bool) {
        self.bytes = bytes
        self.kind = kind
        self.mayHaveHalfPairs = mayHaveHalfPairs
    }

    package static func == (left: JSONText, right: JSONText) -> Bool { left.bytes == right.bytes }
    package func hash(into hasher: inout Hasher) { hasher.combine(self.bytes) }

    /// All of it.
    package var span: JSONSpan {
        JSONSpan(lowerBound: 0, upperBound: self.bytes.readableBytes, kind: self.kind)
    }

    /// Length in bytes.
    package var count: Int { self.bytes.readableBytes }
}

extension JSONText: CustomStringConvertible {
    /// The text itself.
    package var description: String { String(buffer: self.bytes) }
}

extension ByteBuffer {
    /// The bytes of `span`, shared. A span of another text is a programming error.
    @inline(__always)
    func slice(of span: JSONSpan) -> ByteBuffer {
        if span.count == self.readableBytes { return self }
        guard let slice = self.getSlice(at: self.readerIndex + span.lowerBound, length: span.count) else {
            preconditionFailure("a JSON span was used with a text that it was not found in")
        }
        return slice
    }
}
