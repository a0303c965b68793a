/// `%XX` in the place of bytes (RFC 3986, section 2.1).
package enum PercentCoding {
    /// - Parameter isKept: which bytes, of ASCII, stand for themselves.
    package static func encode(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
        var result = ""
        for byte in text.utf8 {
            if byte < 0x80, isKept(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%"
                result += [byte].hexadecimal.uppercased()
            }
        }
        return result
    }

    /// - Returns: `nil` when an escape is malformed, or the bytes are not UTF-8.
    package static func decode(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(), let value = Self.byte(high, low) else {
                return nil
            }
            bytes.append(value)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// The byte that two hexadecimal digits spell.
    package static func byte(_ high: UInt8, _ low: UInt8) -> UInt8? {
        guard let high = JSONEscape.hexadecimal(high), let low = JSONEscape.hexadecimal(low) else { return nil }
        return UInt8(high << 4 | low)
    }

    package static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: false
        }
    }

    /// What means the same with and without an escape (RFC 3986, section 2.3).
    package static func isUnreserved(_ byte: UInt8) -> Bool {
        Self.isAlphanumeric(byte) || "-._~".utf8.contains(byte)
    }

    package static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    /// What may stand in the path of a URI as it is (RFC 3986, section 3.3).
    package static func isPath(_ byte: UInt8) -> Bool {
        Self.isAlphanumeric(byte) || "-._~!$&'()*+,;=:@/".utf8.contains(byte)
    }
}
