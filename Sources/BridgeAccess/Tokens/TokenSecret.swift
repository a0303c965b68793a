import Crypto

/// What the holder of a token presents: `mcpb_` and 43 characters of base64url, 256 random bits. It is shown once, and
/// nothing keeps it: see ``TokenHash``.
package struct TokenSecret: Sendable {
    package static let prefix = "mcpb_"
    /// In bytes of its text.
    package static let length = 48

    /// The 256 bits.
    let words: (UInt64, UInt64, UInt64, UInt64)

    /// `nil` unless the text is a secret in its one spelling. Nothing is allocated.
    package init?(_ text: Substring) {
        var text = text
        guard let words = text.withUTF8({ Self.words(of: $0) }) else { return nil }
        self.words = words
    }

    package init?(_ text: String) { self.init(text[...]) }

    init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// From the system's random source.
    package static func random() -> TokenSecret {
        TokenSecret(
            words: SymmetricKey(size: .bits256).withUnsafeBytes { bytes in
                let word = { (index: Int) in bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
                return (word(0), word(1), word(2), word(3))
            })
    }

    /// The secret itself, for the one time that it is shown.
    package var text: String {
        let bytes = self.bytes
        var characters = Array(Self.prefix.utf8)
        var bits: UInt32 = 0
        var count = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                characters.append(Self.character(UInt8(truncatingIfNeeded: bits >> UInt32(count)) & 0x3f))
            }
        }
        characters.append(Self.character(UInt8(truncatingIfNeeded: bits << 2) & 0x3f))
        return String(decoding: characters, as: UTF8.self)
    }

    private var bytes: [UInt8] {
        withUnsafeBytes(of: self.words) { Array($0) }
    }

    private static func words(of text: UnsafeBufferPointer<UInt8>) -> (UInt64, UInt64, UInt64, UInt64)? {
        guard text.count == Self.length, text.starts(with: Self.prefix.utf8) else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        let isWhole = withUnsafeMutableBytes(of: &words) { bytes -> Bool in
            var bits: UInt32 = 0
            var count = 0
            var at = 0
            for character in text[Self.prefix.utf8.count...] {
                guard let value = Self.value(character) else { return false }
                bits = bits << 6 | UInt32(value)
                count += 6
                guard count >= 8 else { continue }
                count -= 8
                bytes[at] = UInt8(truncatingIfNeeded: bits >> UInt32(count))
                at += 1
            }
            // 43 characters are 258 bits. The two that are left over say nothing: in the one spelling they are 0.
            return bits & 0b11 == 0
        }
        return isWhole ? words : nil
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }

    private static func character(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "-")
        default: UInt8(ascii: "_")
        }
    }
}

extension TokenSecret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Never the secret: what is logged or printed by mistake gives nothing away.
    package var description: String { "\(Self.prefix)…" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
