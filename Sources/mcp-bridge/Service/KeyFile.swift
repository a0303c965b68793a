import BridgeAccess
import BridgeConfiguration
import BridgeFiles
import BridgeMCP
import BridgeSupervisor
import BridgeSystemd
import FoundationEssentials
import Glibc

/// A key of the service: a credential, else a file in the state directory that is made at the first start.
struct KeyFile {
    let path: String
    let credential: String
    /// A new one, base64.
    let make: () -> String

    /// Seals session ids.
    static func sealing(_ state: StatePaths) -> KeyFile {
        KeyFile(path: state.sealingKey, credential: "sealing-key", make: SessionSeal.makeKey)
    }

    /// Hashes tokens' secrets.
    static func token(_ state: StatePaths) -> KeyFile {
        KeyFile(path: state.tokenKey, credential: "token-key", make: TokenKey.make)
    }

    /// Seals the files of sign-ins, where the operator gives one: they lie open for the service's user without it.
    static func oauth(environment: [String: String]) throws -> Secret? {
        let name = "oauth-key"
        guard let bytes = try Credentials(environment: environment).read(name) else { return nil }
        let text = Self.trimmed(bytes)
        guard Data(base64Encoded: text)?.count == 32 else {
            throw ConfigurationBook.Refused(description: "the credential '\(name)' is not 32 bytes in base64")
        }
        return Secret(text)
    }

    /// The key that there is, if any.
    func find(environment: [String: String]) throws -> Secret? {
        if let bytes = try Credentials(environment: environment).read(self.credential) {
            return Secret(Self.trimmed(bytes))
        }
        return try self.stored()
    }

    func key(environment: [String: String]) throws -> Secret {
        if let key = try self.find(environment: environment) { return key }
        let key = self.make()
        do {
            try PrivateFile.create(self.path, (key + "\n").utf8)
        } catch  where error.code == EEXIST {
            // Another process was faster.
            if let key = try self.stored() { return key }
        }
        return Secret(key)
    }

    private func stored() throws -> Secret? {
        try WholeFile.readIfPresent(self.path, limit: 4096).map { Secret(Self.trimmed($0)) }
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        String(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace })
    }
}
