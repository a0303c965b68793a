/// By which a token is known to everybody: in lists, logs, audit rows, and as the principal of its sessions. It says nothing
/// of the secret, and stays the same when that is replaced.
///
/// 12 characters of base32 in lower case, 60 random bits.
package struct TokenID: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    private static let length = 12
    private static let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    /// `nil` for what no token can be called.
    package init?(_ text: String) {
        guard text.utf8.count == Self.length, text.utf8.allSatisfy(Self.alphabet.contains) else { return nil }
        self.text = text
    }

    private init(of characters: [UInt8]) { self.text = String(decoding: characters, as: UTF8.self) }

    package static func random() -> TokenID {
        var generator = SystemRandomNumberGenerator()
        return TokenID(of: (0..<Self.length).map { _ in Self.alphabet[Int(generator.next(upperBound: UInt32(32)))] })
    }

    /// On whose behalf a request with this token is made.
    package var principal: String { "token:\(self.text)" }

    /// The token on whose behalf a request is made; `nil` where it is made without one.
    package static func of(principal: String) -> TokenID? {
        guard principal.utf8.count == 6 + Self.length, principal.hasPrefix("token:") else { return nil }
        return TokenID(String(principal.dropFirst(6)))
    }

    package var description: String { self.text }
}
