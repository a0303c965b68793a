/// JSON with comments and trailing commas, as editors write their settings, made into JSON without moving anything.
package struct JSONC: Sendable {
    /// JSON of the same length as what was read: comments, trailing commas and a byte order mark are spaces.
    package private(set) var bytes: [UInt8]
    /// Where a block comment begins that never ends.
    package private(set) var unterminatedComment: Int?

    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    package init(_ text: [UInt8]) {
        self.bytes = text
        var index = text.starts(with: Self.byteOrderMark) ? Self.byteOrderMark.count : 0
        self.blank(0..<index)
        // The last two bytes that are neither white space nor comment, the later one with its place.
        var last: (byte: UInt8, index: Int)?
        var beforeLast: UInt8?
        while index < text.count {
            let byte = text[index]
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
                index += 1
                continue
            case UInt8(ascii: "/"):
                let end = self.endOfComment(at: index)
                guard end > index else { break }
                self.blank(index..<end)
                index = end
                continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if let comma = last, comma.byte == UInt8(ascii: ","), Self.endsValue(beforeLast) {
                    self.bytes[comma.index] = UInt8(ascii: " ")
                }
            default: break
            }
            beforeLast = last?.byte
            last = (byte, index)
            index = byte == UInt8(ascii: "\"") ? self.endOfString(at: index) : index + 1
        }
    }

    /// A comma is only a trailing one where a value came before it; `[,]` stays wrong.
    private static func endsValue(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return !"[{,:".utf8.contains(byte)
    }

    private func endOfString(at start: Int) -> Int {
        var index = start + 1
        while index < self.bytes.count {
            switch self.bytes[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\""): return index + 1
            default: index += 1
            }
        }
        return self.bytes.count
    }

    /// `start` itself when no comment begins there.
    private mutating func endOfComment(at start: Int) -> Int {
        guard start + 1 < self.bytes.count else { return start }
        switch self.bytes[start + 1] {
        case UInt8(ascii: "/"):
            return self.bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? self.bytes.count
        case UInt8(ascii: "*"):
            var index = start + 2
            while index + 1 < self.bytes.count {
                if self.bytes[index] == UInt8(ascii: "*"), self.bytes[index + 1] == UInt8(ascii: "/") {
                    return index + 2
                }
                index += 1
            }
            self.unterminatedComment = start
            return self.bytes.count
        default:
            return start
        }
    }

    private mutating func blank(_ range: Range<Int>) {
        for index in range where self.bytes[index] != UInt8(ascii: "\n") && self.bytes[index] != UInt8(ascii: "\r") {
            self.bytes[index] = UInt8(ascii: " ")
        }
    }
}
