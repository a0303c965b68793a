/// The routes, as metrics and logs name them.
enum Route: Int, CaseIterable, Sendable {
    case root, mcp, sse, messages, health, live, ready, servers, server, tools, metrics, completions, responses,
        anthropic, models, callback, other

    var name: String { "\(self)" }
}

extension Route {
    /// What a route asks of whoever asks for it. This table is the only place that says so.
    enum Need: Sendable, Hashable {
        /// Nothing: whoever may connect may ask.
        case nothing
        /// Nothing either, but whoever is not known is told no more than the least.
        case leastForStrangers
        /// That they are known: local where that is enough, or with any good token.
        case anyone
        /// The model APIs.
        case chat
        /// A part of MCP at least, `source` or `admin`. What of MCP, each method asks for (``Method``).
        case mcp
        /// All of MCP: it tells of every server.
        case allOfMCP
        /// To change what the service runs.
        case admin
    }

    /// - Parameter isPost: whether it is asked with POST.
    func needs(isPost: Bool) -> Need {
        switch self {
        // Whoever comes back from a sign-in has what its answer says, and no token. A `state` that nobody knows leads nowhere.
        case .live, .callback: .nothing
        case .health: .leastForStrangers
        case .root, .ready, .other: .anyone
        case .mcp, .sse, .messages, .tools: .mcp
        case .completions, .responses, .anthropic, .models: .chat
        case .metrics: .allOfMCP
        case .servers: isPost ? .admin : .allOfMCP
        case .server: .admin
        }
    }
}
