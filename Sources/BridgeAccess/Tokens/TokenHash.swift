import Crypto
import FoundationEssentials

/// Without it nobody can tell whether a hash belongs to a secret: a copy of the database alone says nothing about tokens.
package struct TokenKey: Sendable {
    private let key: SymmetricKey

    /// `nil` unless it is 32 bytes in base64.
    package init?(base64: String) {
        guard let bytes = Data(base64Encoded: base64), bytes.count == 32 else { return nil }
        self.key = SymmetricKey(data: bytes)
    }

    /// A new key, base64, from the system's random source.
    package static func make() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString()
    }

    /// One that nobody else has.
    package static func random() -> TokenKey { TokenKey(key: SymmetricKey(size: .bits256)) }

    private init(key: SymmetricKey) { self.key = key }

    /// By which one key is told from another, and which says nothing of it: what it makes of the secret that is all zeros.
    package var mark: TokenHash { self.hash(TokenSecret(words: (0, 0, 0, 0))) }

    package func hash(_ secret: TokenSecret) -> TokenHash {
        withUnsafeBytes(of: secret.words) { bytes in
            TokenHash(HMAC<SHA256>.authenticationCode(for: bytes, using: self.key))
        }
    }
}

/// What is kept in the place of a secret: its HMAC-SHA256.
package struct TokenHash: Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    init(_ code: HMAC<SHA256>.MAC) {
        self.words = code.withUnsafeBytes(Self.words)
    }

    /// `nil` unless there are 32.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.words = bytes.withUnsafeBytes(Self.words)
    }

    /// 32.
    package var bytes: [UInt8] { withUnsafeBytes(of: self.words) { Array($0) } }

    private static func words(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64, UInt64, UInt64) {
        let word = { (index: Int) in bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) }
        return (word(0), word(1), word(2), word(3))
    }
}

extension TokenHash: Hashable {
    /// In the same time wherever the two differ.
    package static func == (left: TokenHash, right: TokenHash) -> Bool {
        (left.words.0 ^ right.words.0) | (left.words.1 ^ right.words.1) | (left.words.2 ^ right.words.2)
            | (left.words.3 ^ right.words.3) == 0
    }

    /// It is random by itself.
    package func hash(into hasher: inout Hasher) { hasher.combine(self.words.0) }
}

extension TokenHash: CustomStringConvertible, CustomReflectable {
    package var description: String { "(a hash)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
