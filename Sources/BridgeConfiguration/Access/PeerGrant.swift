/// What a process that connects through the local Unix socket may do.
package enum PeerGrant: String, Sendable, Hashable, Codable, CaseIterable {
    /// Speak MCP: list and call.
    case mcp
    /// Use the OpenAI- and Anthropic-style routes.
    case chat
    /// Use the routes that change what the service runs.
    case admin
}
