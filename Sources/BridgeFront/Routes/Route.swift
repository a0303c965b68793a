/// The routes, as metrics and logs name them.
enum Route: Int, CaseIterable, Sendable {
    case root, mcp, sse, messages, health, live, ready, servers, server, tools, metrics, other

    var name: String { "\(self)" }
}
