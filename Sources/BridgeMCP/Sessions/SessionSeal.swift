import BridgeCore
import Crypto
import FoundationEssentials
import NIOCore

/// Makes session ids that nobody else can make, and reads them again.
///
/// An id is base64url of a ChaCha20-Poly1305 box around ``SessionClaims``: below 512 characters, visible ASCII, as
/// basic/transports asks of `Mcp-Session-Id`. It needs no table, so it survives a restart of the worker.
package struct SessionSeal: Sendable {
    /// Longer ids are refused unread.
    package static let maximumLength = 512

    private let key: SymmetricKey
    /// Binds the boxes to this use of the key.
    private static let purpose = Data("mcp-bridge session 1".utf8)

    /// `nil` unless the key is 32 bytes in base64.
    package init?(base64Key: String) {
        guard let bytes = Data(base64Encoded: base64Key), bytes.count == 32 else { return nil }
        self.key = SymmetricKey(data: bytes)
    }

    /// A new key, base64, from the system's random source.
    package static func makeKey() -> String {
        SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString()
    }

    /// The id of a session; `nil` when its principal is too long.
    package func seal(_ claims: SessionClaims) -> String? {
        guard let plain = claims.encoded(),
            let box = try? ChaChaPoly.seal(Data(plain.readableBytesView), using: self.key, authenticating: Self.purpose)
        else { return nil }
        return Self.base64URL(box.combined)
    }

    /// The claims of an id; `nil` when it was not made with this key or has been altered. Expiry is the caller's to check.
    package func open(_ id: String) -> SessionClaims? {
        guard id.utf8.count <= Self.maximumLength, let bytes = Self.bytes(base64URL: id), Self.base64URL(bytes) == id,
            let box = try? ChaChaPoly.SealedBox(combined: bytes),
            let plain = try? ChaChaPoly.open(box, using: self.key, authenticating: Self.purpose)
        else { return nil }
        return SessionClaims(decoding: ByteBuffer(bytes: plain))
    }

    /// A digest by which logs name a session without giving its id away: 8 hexadecimal digits.
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
