package import NIOCore

extension JSONText {
    /// Whether the text is spread over several lines. Only white space between tokens can be: a line break inside a
    /// string is always escaped.
    package var hasLineBreaks: Bool {
        self.withSkipper { $0.bytes.lineBreak(from: 0) != nil }
    }

    /// Appends the text on one line, as framing by lines and event streams need it: each line break becomes a space,
    /// everything else stays byte for byte. No line break is appended.
    package func writeOnOneLine(to buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        self.write(to: &buffer)
        self.withSkipper { skipper in
            var index = 0
            while let found = skipper.bytes.lineBreak(from: index) {
                buffer.setInteger(UInt8(ascii: " "), at: start + found)
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
