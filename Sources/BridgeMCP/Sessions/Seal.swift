import BridgeCore
import Crypto
import FoundationEssentials
package import NIOCore

/// What is sealed into a text that a client keeps for the bridge.
package protocol SealedClaims: Sendable {
    /// Binds a seal to one use of the key: what was sealed for one purpose cannot be opened for another.
    static var purpose: String { get }

    /// Whether the same claims always make the same text, so that it can be compared.
    static var isSteady: Bool { get }

    /// Longer texts are refused unread.
    static var maximumLength: Int { get }

    /// The binary form that is sealed. `nil` when it would be too long.
    func encoded() -> ByteBuffer?
    init?(decoding bytes: ByteBuffer)
}

extension SealedClaims {
    package static var isSteady: Bool { false }
    package static var maximumLength: Int { 512 }
}

/// Makes session ids: see ``SessionClaims``.
package typealias SessionSeal = Seal<SessionClaims>

/// Makes texts that nobody else can make, and reads them again.
///
/// A text is base64url of a ChaCha20-Poly1305 box around the claims: below 512 characters, visible ASCII, as
/// basic/transports asks of `Mcp-Session-Id`. It needs no table, so it survives a restart of the worker.
package struct Seal<Claims: SealedClaims>: Sendable {
    package static var maximumLength: Int { Claims.maximumLength }

    private let key: SymmetricKey
    private let purpose = Data(Claims.purpose.utf8)

    /// `nil` unless the key is 32 bytes in base64.
    package init?(base64Key: String) {
        guard let bytes = Data(base64Encoded: base64Key), bytes.count == 32 else { return nil }
        self.key = SymmetricKey(data: bytes)
    }

    /// A new key, base64, from the system's random source.
    package static func makeKey() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString()
    }

    /// `nil` when the claims would be too long.
    package func seal(_ claims: Claims) -> String? {
        guard let plain = claims.encoded(),
            let nonce = Claims.isSteady ? self.nonce(for: plain) : ChaChaPoly.Nonce(),
            let box = try? ChaChaPoly.seal(
                Data(plain.readableBytesView), using: self.key, nonce: nonce, authenticating: self.purpose)
        else { return nil }
        return Self.base64URL(box.combined)
    }

    /// A nonce that only these claims have: a keyed hash of them. Nobody can tell it from a random one.
    private func nonce(for plain: ByteBuffer) -> ChaChaPoly.Nonce? {
        let hashKey = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: self.key, info: self.purpose + Data(" nonce".utf8), outputByteCount: 32)
        let hash = HMAC<SHA256>.authenticationCode(for: Data(plain.readableBytesView), using: hashKey)
        return try? ChaChaPoly.Nonce(data: Data(hash).prefix(12))
    }

    /// The claims in a text; `nil` when it was not made with this key or has been altered. Expiry is the caller's to check.
    package func open(_ text: String) -> Claims? {
        guard text.utf8.count <= Self.maximumLength, let bytes = Self.bytes(base64URL: text),
            Self.base64URL(bytes) == text,
            let box = try? ChaChaPoly.SealedBox(combined: bytes),
            let plain = try? ChaChaPoly.open(box, using: self.key, authenticating: self.purpose)
        else { return nil }
        return Claims(decoding: ByteBuffer(bytes: plain))
    }

    /// A digest by which logs name a sealed text without giving it away: 8 hexadecimal digits.
    package static func digest(of id: String) -> String {
        SHA256.hash(data: Data(id.utf8)).prefix(4).hexadecimal
    }

    private static func base64URL(_ bytes: Data) -> String {
        let text = bytes.base64EncodedString().utf8.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "+"): UInt8(ascii: "-")
            case UInt8(ascii: "/"): UInt8(ascii: "_")
            case UInt8(ascii: "="): nil
            default: byte
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func bytes(base64URL text: String) -> Data? {
        var plain = text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "-"): UInt8(ascii: "+")
            case UInt8(ascii: "_"): UInt8(ascii: "/")
            default: byte
            }
        }
        while plain.count % 4 != 0 { plain.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(plain))
    }
}
