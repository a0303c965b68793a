import BridgeConfiguration
import BridgeSystemd
import FoundationEssentials

/// What the owner's consent page of an authorization server is filled with, where the owner has put it somewhere.
///
/// In this order: `MCP_BRIDGE_OWNER_PASSWORD`; the credential `owner-password`, of this process or, for root, of the running
/// service; `MCP_BRIDGE_OWNER_PASSWORD_OP_REF`, read through `op`.
enum OwnerPassword {
    case known(Secret)
    /// One is meant to be there, and could not be had: why.
    case unavailable(String)
    case none

    static func find(environment: [String: String]) -> OwnerPassword {
        if let word = environment["MCP_BRIDGE_OWNER_PASSWORD"], !word.isEmpty { return .known(Secret(word)) }
        for directory in [environment["CREDENTIALS_DIRECTORY"], "/run/credentials/mcp-bridge.service"] {
            guard let directory, let bytes = try? Credentials(directory: directory).read("owner-password") else {
                continue
            }
            let word = String(decoding: bytes, as: UTF8.self).trimmingSuffix { $0.isNewline }
            if !word.isEmpty { return .known(Secret(String(word))) }
        }
        guard let reference = environment["MCP_BRIDGE_OWNER_PASSWORD_OP_REF"], !reference.isEmpty else { return .none }
        switch OnePassword(environment: environment).read(reference) {
        case .known(let word): return .known(Secret(word))
        case .unknown(let why): return .unavailable(why)
        }
    }
}

extension String {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> Substring {
        var rest = self[...]
        while let last = rest.last, isTrimmed(last) { rest.removeLast() }
        return rest
    }
}
