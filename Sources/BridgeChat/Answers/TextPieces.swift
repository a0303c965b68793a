/// Cuts a text that is there as a whole into pieces, as a model would have sent it: words at a time, longer pieces of
/// longer texts.
struct TextPieces: Sequence, IteratorProtocol {
    private var rest: Substring
    private let size: Int

    /// In bytes.
    private static let smallest = 24
    private static let mostPieces = 200

    init(_ text: String) {
        self.rest = text[...]
        self.size = Swift.max(Self.smallest, text.utf8.count / Self.mostPieces)
    }

    /// A piece ends behind white space. Where there is none for long, as in Chinese, it ends between two characters.
    mutating func next() -> Substring? {
        guard !self.rest.isEmpty else { return nil }
        let bytes = self.rest.utf8
        guard let least = bytes.index(bytes.startIndex, offsetBy: self.size, limitedBy: bytes.endIndex),
            let most = bytes.index(least, offsetBy: self.size, limitedBy: bytes.endIndex)
        else { return self.take(self.rest.endIndex) }
        var end = least
        while end < most {
            let isSpace = Self.isSpace(bytes[end])
            end = bytes.index(after: end)
            if isSpace, end == bytes.endIndex || !Self.isSpace(bytes[end]) { return self.take(end) }
        }
        return self.take(self.characterEnd(atLeast: least))
    }

    private mutating func take(_ end: Substring.Index) -> Substring {
        let piece = self.rest[..<end]
        self.rest = self.rest[end...]
        return piece
    }

    private func characterEnd(atLeast least: Substring.Index) -> Substring.Index {
        var end = self.rest.startIndex
        while end < least { end = self.rest.index(after: end) }
        return end
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}
