package import NIOCore

extension JSONText {
    /// Appends the text as it is.
    package func write(to buffer: inout ByteBuffer) {
        buffer.writeImmutableBuffer(self.bytes)
    }

    /// Appends the text with the bytes of `span` replaced, everything else byte for byte.
    ///
    /// An empty span inserts. Keeping the result valid JSON is the caller's business.
    package func write(to buffer: inout ByteBuffer, replacing span: JSONSpan, with replacement: ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: self.count - span.count + replacement.readableBytes)
        self.copy(0, span.lowerBound, to: &buffer)
        buffer.writeImmutableBuffer(replacement)
        self.copy(span.upperBound, self.count, to: &buffer)
    }

    /// Appends the text with two spans replaced, in either order of appearance. They must not overlap.
    package func write(
        to buffer: inout ByteBuffer,
        replacing first: JSONSpan, with firstReplacement: ByteBuffer,
        and second: JSONSpan, with secondReplacement: ByteBuffer
    ) {
        guard first.lowerBound <= second.lowerBound else {
            return self.write(
                to: &buffer, replacing: second, with: secondReplacement, and: first, with: firstReplacement)
        }
        let replaced = firstReplacement.readableBytes + secondReplacement.readableBytes
        buffer.reserveCapacity(minimumWritableBytes: self.count - first.count - second.count + replaced)
        self.copy(0, first.lowerBound, to: &buffer)
        buffer.writeImmutableBuffer(firstReplacement)
        self.copy(first.upperBound, second.lowerBound, to: &buffer)
        buffer.writeImmutableBuffer(secondReplacement)
        self.copy(second.upperBound, self.count, to: &buffer)
    }

    /// Appends the text with some spans (ascending, disjoint) replaced, everything else byte for byte.
    package func write(to buffer: inout ByteBuffer, replacing replacements: [(JSONSpan, ByteBuffer)]) {
        let growth = replacements.reduce(0) { $0 + $1.1.readableBytes - $1.0.count }
        buffer.reserveCapacity(minimumWritableBytes: max(0, self.count + growth))
        var position = 0
        for (span, replacement) in replacements {
            self.copy(position, span.lowerBound, to: &buffer)
            buffer.writeImmutableBuffer(replacement)
            position = span.upperBound
        }
        self.copy(position, self.count, to: &buffer)
    }

    /// This text with the bytes of `span` replaced.
    package func replacing(_ span: JSONSpan, with replacement: ByteBuffer) -> JSONText {
        var buffer = ByteBuffer()
        self.write(to: &buffer, replacing: span, with: replacement)
        return JSONText(trusting: buffer)
    }

    /// What inserts a member in front of the others of the object at `object`: one replacement for
    /// ``write(to:replacing:)``.
    ///
    /// Whether the object already has a member called `key` is not looked at.
    package func insertion(of key: String, _ value: JSONText, into object: JSONSpan) -> (JSONSpan, ByteBuffer) {
        let position = object.lowerBound + 1
        let isEmpty = self.withSkipper { skipper in
            let next = skipper.bytes.skipWhitespace(from: position)
            return next < object.upperBound && skipper.bytes[next] == UInt8(ascii: "}")
        }
        var buffer = ByteBuffer()
        buffer.writeJSONKey(key, afterComma: false)
        value.write(to: &buffer)
        if !isEmpty { buffer.writeStaticString(",") }
        return (JSONSpan(lowerBound: position, upperBound: position, kind: value.kind), buffer)
    }

    private func copy(_ lower: Int, _ upper: Int, to buffer: inout ByteBuffer) {
        precondition(lower <= upper && upper <= self.count, "JSON spans to replace must ascend and not overlap")
        self.bytes.withUnsafeReadableBytes { bytes in
            _ = buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[lower..<upper]))
        }
    }
}
