import BridgeCore
import Crypto
import FoundationEssentials

/// A bridge that a command runs for itself, beside the service: where it keeps its state.
package struct OwnBridge: Sendable, Hashable {
    /// The configuration file, as an absolute path.
    package let configuration: String
    /// What makes it another bridge than those that read the same file: the command, its transport and its address.
    package let command: String

    package init(configuration: String, command: String) {
        self.configuration = configuration
        self.command = command
    }

    /// 16 hexadecimal digits.
    package var digest: String {
        SHA256.hash(data: Data("\(self.configuration)\u{0}\(self.command)".utf8)).prefix(8).hexadecimal
    }

    /// Its state folder.
    ///
    /// - Parameters:
    ///   - number: 1 for the first of those that run at the same time.
    ///   - directory: the service's state directory.
    package func folder(_ number: Int, below directory: String) -> String {
        RelativePath.join(directory, "instances/\(self.digest)\(number == 1 ? "" : "-\(number)")")
    }

    /// The environment with this state folder, and without what variables say about the service alone: two bridges would
    /// listen at one address. Where and how much is logged counts: who sets that for a gateway means the gateway.
    package static func environment(_ service: [String: String], state folder: String) -> [String: String] {
        var environment = service.filter { !Self.ofTheService.contains($0.key) }
        environment["STATE_DIRECTORY"] = folder
        return environment
    }

    private static let ofTheService: Set = [
        "MCP_BRIDGE_CONFIG", "MCP_BRIDGE_CONFIG_DIR", "MCP_BRIDGE_HOST", "MCP_BRIDGE_MCP_PATH",
        "MCP_BRIDGE_OAUTH_STATE_PATH", "MCP_BRIDGE_OVERSEER_URL", "MCP_BRIDGE_PORT", "MCP_BRIDGE_SENTINEL_ARGS",
        "MCP_BRIDGE_SENTINEL_COMMAND", "MCP_BRIDGE_TOOL_CACHE_PATH",
    ]
}
