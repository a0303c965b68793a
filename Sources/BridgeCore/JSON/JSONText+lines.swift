package import NIOCore

extension JSONText {
    /// Appends the text on one line, as framing by lines and event streams need it: each line break becomes a space,
    /// everything else stays byte for byte. Only white space between tokens can hold one: inside a string a line break is
    /// always escaped. No line break is appended.
    package func writeOnOneLine(to buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        self.write(to: &buffer)
        buffer.putOnOneLine(from: start)
    }
}

extension ByteBuffer {
    /// Makes one line of the JSON that was appended since the writer index was `start`, in one pass.
    ///
    /// Line breaks can only be white space between tokens, where a space does as well: inside strings they are escaped.
    package mutating func putOnOneLine(from start: Int) {
        let lower = max(0, start - self.readerIndex)
        self.withUnsafeMutableReadableBytes { output in
            guard let bytes = JSONBytes(UnsafeRawBufferPointer(output)) else { return }
            var index = lower
            while let found = bytes.lineBreak(from: index) {
                output[found] = UInt8(ascii: " ")
                index = found + 1
            }
        }
    }
}

extension JSONBytes {
    /// The first CR or LF at or after `start`.
    fileprivate func lineBreak(from start: Int) -> Int? {
        var index = start
        while index + 8 <= self.count {
            let word = self.word(at: index)
            let hits = JSONWord.matches(word, 0x0A) | JSONWord.matches(word, 0x0D)
            if hits != 0 { return index + JSONWord.first(hits) }
            index += 8
        }
        while index < self.count {
            if self[index] == 0x0A || self[index] == 0x0D { return index }
            index += 1
        }
        return nil
    }
}
