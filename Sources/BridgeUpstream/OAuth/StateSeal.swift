import Crypto
import FoundationEssentials

/// Seals state files, where there is a key for it: who has the files alone has no tokens.
struct StateSeal: Sendable {
    private static let mark = Array("mcp-bridge sealed 1\n".utf8)

    struct Flaw: Error, Equatable, CustomStringConvertible {
        let description: String
    }

    private let key: SymmetricKey?

    /// - Parameter base64Key: 32 bytes; nil: files lie open.
    init(base64Key: String?) throws(Flaw) {
        guard let base64Key else {
            self.key = nil
            return
        }
        guard let bytes = Data(base64Encoded: base64Key), bytes.count == 32 else {
            throw Flaw(description: "the key of the state files is not 32 bytes in base64")
        }
        self.key = SymmetricKey(data: bytes)
    }

    func close(_ bytes: [UInt8]) throws -> [UInt8] {
        guard let key else { return bytes }
        return Self.mark + Array(try ChaChaPoly.seal(bytes, using: key, authenticating: Self.mark).combined)
    }

    /// What lay open before there was a key is read all the same.
    func open(_ bytes: [UInt8]) throws -> [UInt8] {
        guard bytes.starts(with: Self.mark) else { return bytes }
        guard let key else { throw Flaw(description: "it is sealed, and there is no key for it") }
        guard let box = try? ChaChaPoly.SealedBox(combined: bytes[Self.mark.count...]),
            let plain = try? ChaChaPoly.open(box, using: key, authenticating: Self.mark)
        else { throw Flaw(description: "it is sealed with another key") }
        return Array(plain)
    }
}
