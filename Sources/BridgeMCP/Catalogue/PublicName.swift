import BridgeCore
import Crypto
import FoundationEssentials

/// The two spellings of an entry's name, both made from the configuration and the entry's own name alone, so that no other
/// upstream can change them.
package struct PublicName: Sendable, Hashable {
    /// `<prefix><separator><name>`, or the name itself where the prefix is empty.
    package let dot: String
    /// `[A-Za-z0-9_-]{1,64}`, as model APIs demand: `<prefix>__<name>`, with a hash where that would be too long or could
    /// be another entry's.
    package let safe: String

    package init(prefix: String, separator: String, name: String) {
        self.dot = prefix.isEmpty ? name : prefix + separator + name
        let pieces = prefix.isEmpty ? [name] : [prefix, name]
        let plain = pieces.joined(separator: "__")
        let unchanged =
            plain.utf8.count <= 64 && !plain.isEmpty && plain.utf8.allSatisfy(Self.isSafe)
            // Two underscores inside a piece could be read as the border between two others.
            && pieces.allSatisfy {
                !$0.contains("__") && !(pieces.count > 1 && ($0.hasPrefix("_") || $0.hasSuffix("_")))
            }
        self.safe = unchanged ? plain : Self.hashed(plain, identity: pieces.joined(separator: "\u{0}"))
    }

    /// The name of an entry that is not renamed: one spelling, its own.
    package init(verbatim name: String) {
        self.dot = name
        self.safe = name
    }

    /// Whether a public name, in either spelling, begins as those with this prefix do.
    package static func mayBe(_ name: String, prefix: String, separator: String) -> Bool {
        guard !prefix.isEmpty, !name.hasPrefix(prefix + separator) else { return true }
        let safe = prefix.utf8.map { Self.isSafe($0) ? $0 : UInt8(ascii: "_") } + Array("__".utf8)
        return name.utf8.starts(with: safe.prefix(53))
    }

    private static func isSafe(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
        default: false
        }
    }

    /// Readable as far as it goes, then 10 hexadecimal digits of a hash of the exact name.
    private static func hashed(_ plain: String, identity: String) -> String {
        let readable = plain.utf8.prefix(53).map { Self.isSafe($0) ? $0 : UInt8(ascii: "_") }
        let hash = SHA256.hash(data: Data(identity.utf8)).prefix(5).hexadecimal
        return String(decoding: readable, as: UTF8.self) + "_" + hash
    }
}
