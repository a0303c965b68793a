/// The path that MCP is served at.
package enum MCPPath {
    static let complaint = "must begin with '/', have no query, and not be one of the bridge's own routes."

    private static let routes: Set<String> = ["health", "servers", "tools", "metrics", "v1", "sse", "messages"]

    /// Without a slash at its end; `nil` when it is no path or somebody else's.
    package static func normalized(_ text: String) -> String? {
        var path = text
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let plain = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"?#\"\\<>{}*".utf8.contains($0) }
        let first = path.dropFirst().prefix { $0 != "/" }
        guard path.hasPrefix("/"), path != "/", !path.contains("//"), plain, !Self.routes.contains(String(first)) else {
            return nil
        }
        return path
    }
}
