import BridgeAccess
import BridgeConfiguration
import BridgeFiles
import Glibc

/// The token that a command shows: of `MCP_BRIDGE_TOKEN`, or of a file. Never of an argument, which everybody on the machine
/// can read.
enum ClientToken {
    struct Refused: Error, CustomStringConvertible { let description: String }

    static let variable = "MCP_BRIDGE_TOKEN"

    /// - Parameter file: named by the user; it wins over the variable.
    /// - Throws: ``Refused`` for a file that others may read, or that holds no token.
    static func find(file: String?, environment: [String: String]) throws(Refused) -> Secret? {
        if let file { return try Self.read(file) }
        guard let text = environment[Self.variable], !text.isEmpty else { return nil }
        return try Self.checked(text, "$\(Self.variable)")
    }

    private static func read(_ path: String) throws(Refused) -> Secret {
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & 0o077 != 0 {
            throw Refused(description: "\(path) may be read by others; 'chmod 600 \(path)' first")
        }
        let bytes: [UInt8]
        do throws(SystemCallError) {
            bytes = try WholeFile.read(path, limit: 4_096)
        } catch {
            throw Refused(description: "the token file cannot be read: \(error)")
        }
        return try Self.checked(String(decoding: bytes, as: UTF8.self), path)
    }

    private static func checked(_ text: String, _ place: String) throws(Refused) -> Secret {
        let text = String(text.filter { !$0.isWhitespace })
        guard TokenSecret(text) != nil else {
            throw Refused(description: "\(place) holds no token; one begins with \(TokenSecret.prefix)")
        }
        return Secret(text)
    }
}
