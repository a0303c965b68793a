import BridgeCore
import BridgeHTTPClient

/// Where a service serves MCP, as its root page says.
enum ServicePath {
    /// The usual place when it says nothing.
    static func mcp(in reply: HTTPReply) -> String {
        guard let text = try? JSONText(validating: reply.body), let url = text.string("mcp") else { return "/mcp" }
        // http://host/path: what follows the host.
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        return parts.count == 4 ? "/" + parts[3] : "/mcp"
    }
}
