package import NIOCore

extension ByteBuffer {
    /// Appends `string` as a JSON string: quoted, with `"`, `\` and control characters escaped and nothing else.
    ///
    /// What it appends never contains a line break. Returns the number of bytes appended.
    @discardableResult
    package mutating func writeJSONString(_ string: some StringProtocol) -> Int {
        let start = self.writerIndex
        let done: Void? = string.utf8.withContiguousStorageIfAvailable { content in
            self.writeQuoted(UnsafeRawBufferPointer(content), before: nil, after: nil)
        }
        if done == nil {
            var copy = String(string)
            copy.withUTF8 { self.writeQuoted(UnsafeRawBufferPointer($0), before: nil, after: nil) }
        }
        return self.writerIndex - start
    }

    /// Appends a member's key and its colon, after a comma if asked.
    mutating func writeJSONKey(_ key: String, afterComma: Bool) {
        var key = key
        key.withUTF8 { content in
            self.writeQuoted(
                UnsafeRawBufferPointer(content),
                before: afterComma ? UInt8(ascii: ",") : nil, after: UInt8(ascii: ":"))
        }
    }

    /// `content` is UTF-8. `before` and `after` go around the quotes.
    @inline(__always)
    private mutating func writeQuoted(_ content: UnsafeRawBufferPointer, before: UInt8?, after: UInt8?) {
        guard let bytes = JSONBytes(content), Self.plainRun(in: bytes, from: 0) < bytes.count else {
            return self.writePlain(content, before: before, after: after)
        }
        if let before { self.writeInteger(before) }
        self.writeEscaped(bytes)
        if let after { self.writeInteger(after) }
    }

    /// The common case, in one write.
    @inline(__always)
    private mutating func writePlain(_ content: UnsafeRawBufferPointer, before: UInt8?, after: UInt8?) {
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: content.count + 4) { output in
            var end = 0
            if let before {
                output[end] = before
                end += 1
            }
            output[end] = UInt8(ascii: "\"")
            end += 1
            UnsafeMutableRawBufferPointer(rebasing: output[end...]).copyMemory(from: content)
            end += content.count
            output[end] = UInt8(ascii: "\"")
            end += 1
            if let after {
                output[end] = after
                end += 1
            }
            return end
        }
    }

    private mutating func writeEscaped(_ bytes: JSONBytes) {
        self.reserveCapacity(minimumWritableBytes: bytes.count + 16)
        self.writeInteger(UInt8(ascii: "\""))
        var position = 0
        while position < bytes.count {
            let end = Self.plainRun(in: bytes, from: position)
            self.writeBytes(bytes.slice(position, end))
            if end < bytes.count { self.writeEscape(bytes[end]) }
            position = end + 1
        }
        self.writeInteger(UInt8(ascii: "\""))
    }

    /// Where the bytes from `start` that need no escape end.
    @inline(__always)
    private static func plainRun(in bytes: JSONBytes, from start: Int) -> Int {
        var index = start
        while index + 8 <= bytes.count {
            let hits = JSONWord.needsEscape(bytes.word(at: index))
            if hits != 0 { return index + JSONWord.first(hits) }
            index += 8
        }
        while index < bytes.count {
            switch bytes[index] {
            case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"): return index
            default: index += 1
            }
        }
        return index
    }

    private mutating func writeEscape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""): self.writeStaticString("\\\"")
        case UInt8(ascii: "\\"): self.writeStaticString("\\\\")
        case 0x08: self.writeStaticString("\\b")
        case 0x09: self.writeStaticString("\\t")
        case 0x0A: self.writeStaticString("\\n")
        case 0x0C: self.writeStaticString("\\f")
        case 0x0D: self.writeStaticString("\\r")
        default:
            self.writeStaticString(byte < 0x10 ? "\\u000" : "\\u001")
            let digit = byte & 0x0F
            self.writeInteger(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
