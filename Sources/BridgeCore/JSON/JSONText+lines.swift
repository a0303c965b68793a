import Glibc
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
    /// Makes one line of the JSON that was appended since the writer index was `start`.
    ///
    /// Line breaks can only be white space between tokens, where a space does as well: inside strings they are escaped.
    package mutating func putOnOneLine(from start: Int) {
        let lower = max(0, start - self.readerIndex)
        self.withUnsafeMutableReadableBytes { output in
            // Twice memchr is half the time of one pass that looks for both.
            Self.blank(UInt8(ascii: "\n"), in: output, from: lower)
            Self.blank(UInt8(ascii: "\r"), in: output, from: lower)
        }
    }

    private static func blank(_ lineBreak: UInt8, in output: UnsafeMutableRawBufferPointer, from lower: Int) {
        guard let base = output.baseAddress else { return }
        var index = lower
        while index < output.count, let found = memchr(base + index, Int32(lineBreak), output.count - index) {
            index = found - base + 1
            output[index - 1] = UInt8(ascii: " ")
        }
    }
}
