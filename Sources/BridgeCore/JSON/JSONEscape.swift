/// The escapes of JSON strings.
enum JSONEscape {
    @inline(__always)
    static func hexadecimal(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt16(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt16(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// What a valid string stands for. `content` is what lies between its quotes. A surrogate without its partner
    /// becomes U+FFFD.
    static func decode(_ content: UnsafeRawBufferPointer) -> String {
        // An escape is never shorter than what it stands for: `\u0000` six bytes for at most three.
        String(unsafeUninitializedCapacity: content.count) { output in
            var decoder = Decoder(input: content, output: output)
            return decoder.run()
        }
    }

    private struct Decoder {
        let input: UnsafeRawBufferPointer
        let output: UnsafeMutableBufferPointer<UInt8>
        var read = 0
        var written = 0

        mutating func run() -> Int {
            while self.read < self.input.count {
                let byte = self.input[self.read]
                if byte == UInt8(ascii: "\\"), self.read + 1 < self.input.count {
                    self.escape(self.input[self.read + 1])
                } else {
                    self.put(byte)
                    self.read += 1
                }
            }
            return self.written
        }

        private mutating func escape(_ letter: UInt8) {
            if letter == UInt8(ascii: "u"), let unit = self.unit(at: self.read) {
                self.read += 6
                self.put(self.scalar(from: unit))
                return
            }
            self.read += 2
            switch letter {
            case UInt8(ascii: "b"): self.put(0x08)
            case UInt8(ascii: "f"): self.put(0x0C)
            case UInt8(ascii: "n"): self.put(0x0A)
            case UInt8(ascii: "r"): self.put(0x0D)
            case UInt8(ascii: "t"): self.put(0x09)
            default: self.put(letter)
            }
        }

        /// The scalar that `unit` begins, taking the low surrogate that follows when there is one.
        private mutating func scalar(from unit: UInt16) -> Unicode.Scalar {
            if let scalar = Unicode.Scalar(unit) { return scalar }
            guard UTF16.isLeadSurrogate(unit), let low = self.unit(at: self.read), UTF16.isTrailSurrogate(low) else {
                return "\u{FFFD}"
            }
            self.read += 6
            return UTF16.decode(UTF16.EncodedScalar([unit, low]))
        }

        /// The code unit written at `index` as `\u` and four hexadecimal digits.
        private func unit(at index: Int) -> UInt16? {
            guard index + 6 <= self.input.count, self.input[index] == UInt8(ascii: "\\"),
                self.input[index + 1] == UInt8(ascii: "u")
            else { return nil }
            var unit: UInt16 = 0
            for position in index + 2..<index + 6 {
                guard let digit = JSONEscape.hexadecimal(self.input[position]) else { return nil }
                unit = unit << 4 | digit
            }
            return unit
        }

        private mutating func put(_ scalar: Unicode.Scalar) {
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter { self.put(byte) }
        }

        @inline(__always)
        private mutating func put(_ byte: UInt8) {
            self.output[self.written] = byte
            self.written += 1
        }
    }
}
