import BridgeCore

/// The names servers go by.
package enum ServerName {
    /// In characters.
    package static let maximumLength = 64

    /// What is wrong with a name; `nil` when nothing is.
    package static func complaint(about name: String) -> String? {
        if name.isEmpty { return "a server's name must not be empty." }
        if name.count > Self.maximumLength { return "a server's name has at most \(Self.maximumLength) characters." }
        let scalars = name.unicodeScalars
        if scalars.contains(where: {
            [.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
        }) {
            return "a server's name must not contain control characters."
        }
        if scalars.first?.properties.isWhitespace == true || scalars.last?.properties.isWhitespace == true {
            return "a server's name must not begin or end with white space."
        }
        // Its worker is started with the name as an argument.
        if name.hasPrefix("-") { return "a server's name must not begin with a hyphen." }
        return nil
    }

    /// A name that cannot be used, as reports show it.
    static func shown(_ name: String) -> String {
        guard Self.complaint(about: name) != nil else { return name }
        guard !name.isEmpty else { return "(no name)" }
        let scalars = name.unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: "\u{FFFD}"
            default: scalar
            }
        }
        let text = String(String.UnicodeScalarView(scalars))
        return text.count > Self.maximumLength ? "\(text.prefix(Self.maximumLength))…" : text
    }

    /// The name as part of a socket's or a folder's name: letters, digits, `-` and `_` as they are, other bytes as
    /// `%XX`. Never longer than 48 bytes; what would be is cut and told apart by a hash.
    package static func fileName(of name: String) -> String {
        let text = PercentCoding.encode(name) {
            PercentCoding.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
        guard text.utf8.count > 48 else { return text }
        // FNV-1a, 64 bits: names are few and the operator's own.
        let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let hex = String(hash, radix: 16)
        return "\(text.prefix(31))~\(String(repeating: "0", count: 16 - hex.count))\(hex)"
    }
}
