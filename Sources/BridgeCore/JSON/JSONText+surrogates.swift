import NIOCore

extension JSONText {
    /// This text with U+FFFD in place of each escape of half a surrogate pair; nil where there is none.
    ///
    /// `\ud83d` alone is JSON by its grammar, and means no character: RFC 8259, section 8.2 calls what readers make of it
    /// unpredictable, and some refuse the whole text. The replacement has the same length, so nothing else moves.
    package var mendedSurrogates: JSONText? {
        let halves = self.halves
        guard !halves.isEmpty else { return nil }
        var bytes = self.bytes
        for start in halves { _ = bytes.setStaticString(#"\ufffd"#, at: bytes.readerIndex + start) }
        return JSONText(trusting: bytes)
    }

    /// The same, of a text that somebody validated: this very text where that found nothing. Nothing in it moves.
    package var withWholePairs: JSONText { self.mayHaveHalfPairs ? self.mendedSurrogates ?? self : self }

    /// Where escapes of half a pair begin.
    private var halves: [Int] {
        self.bytes.withUnsafeReadableBytes { bytes in
            var halves: [Int] = []
            var index = 0
            while index < bytes.count {
                guard bytes[index] == UInt8(ascii: "\\") else {
                    index += 1
                    continue
                }
                guard let unit = Self.surrogate(bytes, at: index) else {
                    index += 2
                    continue
                }
                if unit < 0xdc00, let second = Self.surrogate(bytes, at: index + 6), second >= 0xdc00 {
                    index += 12
                } else {
                    halves.append(index)
                    index += 6
                }
            }
            return halves
        }
    }

    /// The surrogate whose escape begins at `index`.
    private static func surrogate(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt16? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for byte in bytes[index + 2..<index + 6] {
            guard let digit = JSONEscape.hexadecimal(byte) else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        return (0xd800...0xdfff).contains(unit) ? unit : nil
    }
}
