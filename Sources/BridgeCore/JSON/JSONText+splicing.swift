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

    /// Appends the text with up to three spans replaced, in any order of appearance, in one pass. They must not overlap.
    package func write(
        to buffer: inout ByteBuffer,
        replacing first: (span: JSONSpan, bytes: ByteBuffer),
        _ second: (span: JSONSpan, bytes: ByteBuffer)?,
        _ third: (span: JSONSpan, bytes: ByteBuffer)? = nil
    ) {
        guard let second else {
            guard let third else { return self.write(to: &buffer, replacing: first.span, with: first.bytes) }
            return self.write(to: &buffer, replacing: first, third)
        }
        guard let third else {
            return self.write(
                to: &buffer, replacing: first.span, with: first.bytes, and: second.span, with: second.bytes)
        }
        // The three in their order.
        var (low, middle, high) = (first, second, third)
        if middle.span.lowerBound < low.span.lowerBound { swap(&low, &middle) }
        if high.span.lowerBound < middle.span.lowerBound { swap(&middle, &high) }
        if middle.span.lowerBound < low.span.lowerBound { swap(&low, &middle) }
        let taken = low.span.count + middle.span.count + high.span.count
        let given = low.bytes.readableBytes + middle.bytes.readableBytes + high.bytes.readableBytes
        buffer.reserveCapacity(minimumWritableBytes: max(0, self.count - taken) + given)
        self.copy(0, low.span.lowerBound, to: &buffer)
        buffer.writeImmutableBuffer(low.bytes)
        self.copy(low.span.upperBound, middle.span.lowerBound, to: &buffer)
        buffer.writeImmutableBuffer(middle.bytes)
        self.copy(middle.span.upperBound, high.span.lowerBound, to: &buffer)
        buffer.writeImmutableBuffer(high.bytes)
        self.copy(high.span.upperBound, self.count, to: &buffer)
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

    private func copy(_ lower: Int, _ upper: Int, to buffer: inout ByteBuffer) {
        precondition(lower <= upper && upper <= self.count, "JSON spans to replace must ascend and not overlap")
        self.bytes.withUnsafeReadableBytes { bytes in
            _ = buffer.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[lower..<upper]))
        }
    }
}
