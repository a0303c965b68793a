/// Terminal control sequences, such as `ESC [ 3 1 m`, by the grammar of ECMA-48.
enum EscapeSequence {
    /// No sequence is taken to be longer, in bytes.
    private static let maximumOctets = 4 << 10
    private static let escape: UInt8 = 0x1B

    /// Where the sequence ends that begins at `start`; nil where none does.
    static func end(in bytes: UnsafeRawBufferPointer, at start: Int) -> Int? {
        guard bytes[start] == Self.escape || bytes[start] == 0xC2 else { return nil }
        let bytes = UnsafeRawBufferPointer(rebasing: bytes[start..<min(bytes.count, start + Self.maximumOctets)])
        guard bytes.count >= 2 else { return nil }
        // U+009B is the one character that stands for `ESC [`.
        if bytes[0] == 0xC2, bytes[1] == 0x9B { return Self.controlSequence(bytes).map { start + $0 } }
        guard bytes[0] == Self.escape else { return nil }
        let length: Int? =
            switch bytes[1] {
            case UInt8(ascii: "["): Self.controlSequence(bytes)
            case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "X"), UInt8(ascii: "^"), UInt8(ascii: "_"):
                Self.string(bytes)
            case 0x20...0x2F: Self.end(of: bytes, finals: 0x30...0x7E, inner: 0x20...0x2F)
            // It would be the beginning of a message.
            case UInt8(ascii: "{"): nil
            case 0x30...0x7E: 2
            default: nil
            }
        return length.map { start + $0 }
    }

    /// `ESC [`, parameters, a final byte.
    private static func controlSequence(_ bytes: UnsafeRawBufferPointer) -> Int? {
        self.end(of: bytes, finals: 0x40...0x7E, inner: 0x20...0x3F)
    }

    private static func end(
        of bytes: UnsafeRawBufferPointer, finals: ClosedRange<UInt8>, inner: ClosedRange<UInt8>
    ) -> Int? {
        guard let last = bytes.indices.dropFirst(2).first(where: { !inner.contains(bytes[$0]) }),
            finals.contains(bytes[last])
        else { return nil }
        return last + 1
    }

    /// A title or a link: up to BEL, or to `ESC \`.
    private static func string(_ bytes: UnsafeRawBufferPointer) -> Int? {
        for index in 2..<max(bytes.count, 2) {
            if bytes[index] == 0x07 { return index + 1 }
            guard bytes[index] == Self.escape else { continue }
            // An escape ends it, one way or the other: so nothing is looked through twice.
            return index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "\\") ? index + 2 : nil
        }
        return nil
    }
}
