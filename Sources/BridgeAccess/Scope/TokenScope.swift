import BridgeCore

/// What the holder of a token may do: `mcp,chat`, `server:calculator,tool:git.*`.
package struct TokenScope: Sendable, Hashable {
    /// In the order in which they were written, each once.
    package let grants: [TokenGrant]

    private let isEverything: Bool
    private let servers: Set<String>
    /// Patterns by server.
    private let tools: [String: [String]]

    package init(_ grants: [TokenGrant]) {
        var known: Set<TokenGrant> = []
        self.grants = grants.filter { known.insert($0).inserted }
        self.isEverything = known.contains(.mcp) || known.contains(.admin)
        var servers: Set<String> = []
        var tools: [String: [String]] = [:]
        for grant in self.grants {
            switch grant {
            case .server(let name): servers.insert(name)
            case .tool(let server, let pattern): tools[server, default: []].append(pattern)
            case .mcp, .chat, .source, .admin: break
            }
        }
        self.servers = servers
        self.tools = tools
    }

    /// Words with commas between them; spaces around them are ignored.
    package init(_ text: String) throws(AccessProblem) {
        var grants: [TokenGrant] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            let word = String(word.trimmed)
            guard !word.isEmpty else {
                throw AccessProblem(
                    "A scope is a list of words with commas between them: \(TokenGrant.known.joined(separator: ", ")).")
            }
            grants.append(try TokenGrant(word))
        }
        self.init(grants)
    }

    /// What ``init(_:)-(String)`` reads again. Two scopes with the same text let through the same.
    package var text: String { self.grants.map(\.text).joined(separator: ",") }
}

extension TokenScope {
    /// What a scope lets through of one server.
    package enum Reach: Sendable, Hashable {
        case nothing
        /// Tools whose own names match one of the patterns, and nothing else.
        case tools([String])
        case everything
    }

    package func reach(of server: String) -> Reach {
        if self.isEverything || self.servers.contains(server) { return .everything }
        return self.tools[server].map(Reach.tools) ?? .nothing
    }

    /// Whether there is no server and no tool that it keeps back: nothing needs to be looked at one by one.
    package var isAllOfMCP: Bool { self.isEverything }
    /// Whether MCP may be spoken at all. What is listed and called is looked at one by one.
    package var mayUseMCP: Bool { self.isEverything || !self.servers.isEmpty || !self.tools.isEmpty }
    package var mayChat: Bool { self.grants.contains(.chat) || self.mayAdminister }
    package var mayBeSource: Bool { self.grants.contains(.source) }
    package var mayAdminister: Bool { self.grants.contains(.admin) }

    /// Whether anything of the server may be seen.
    package func mayUse(server: String) -> Bool { self.reach(of: server) != .nothing }

    /// Whether what the server offers besides tools may be seen: prompts, resources, templates, its instructions.
    package func mayUseAll(of server: String) -> Bool { self.reach(of: server) == .everything }

    /// - Parameter tool: the server's own name for it, as filters in the configuration compare it.
    package func mayCall(_ tool: String, of server: String) -> Bool {
        switch self.reach(of: server) {
        case .nothing: false
        case .everything: true
        case .tools(let patterns): patterns.contains { Glob.matches(tool, pattern: $0) }
        }
    }
}

extension TokenScope: CustomStringConvertible {
    package var description: String { self.text }
}

extension Substring {
    /// Without spaces around it.
    var trimmed: Substring {
        var text = self.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }
}
