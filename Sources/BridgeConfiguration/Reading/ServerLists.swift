import BridgeCore

/// Where the servers stand in a configuration file: ours, that of an MCP client, or an editor's settings.
struct ServerLists {
    /// The servers of one of the folders that a user works in.
    struct Project {
        let folder: String
        let servers: ConfigurationNode
        /// Those that the user has switched off there.
        let switchedOff: Set<String>
    }

    private(set) var lists: [ConfigurationNode] = []
    private(set) var projects: [Project] = []
    /// Whether the file is the settings of a program that keeps much else in it.
    private(set) var isSettings = false

    /// Zed, VS Code (nested, as one key, in a development container, in a workspace).
    private static let places: [[String]] = [
        ["context_servers"], ["mcp", "servers"], ["mcp.servers"], ["customizations", "vscode", "mcp", "servers"],
        ["settings", "mcp", "servers"],
    ]

    /// What only the settings of Claude Code and of Gemini CLI have, beside `mcpServers`.
    private static let signs: [[String]] = [["numStartups"], ["security", "auth"], ["selectedAuthType"]]

    private static let plain = ["mcpServers", "servers"]
    private static let projects = "projects"

    /// Everything at the top of a file that leads to servers.
    static let keys = Set(Self.plain + Self.places.map { $0[0] } + [Self.projects])

    init(in object: inout ObjectReader) {
        self.lists = Self.plain.compactMap { object.take($0) }
        for place in Self.places {
            guard let node = Self.node(at: place, in: object.node) else { continue }
            self.lists.append(node)
            self.isSettings = true
        }
        self.readProjects(object.node)
        if !self.isSettings { self.isSettings = Self.signs.contains { Self.node(at: $0, in: object.node) != nil } }
    }

    var isEmpty: Bool { self.lists.isEmpty && self.projects.isEmpty }

    /// Claude Code keeps the servers of each project beside the user's own, in `~/.claude.json`.
    private mutating func readProjects(_ root: ConfigurationNode) {
        guard let projects = Self.node(at: [Self.projects], in: root), projects.kind == .object else { return }
        let folders = projects.members.filter { $0.key.hasPrefix("/") && $0.value.kind == .object }
        if !folders.isEmpty { self.isSettings = true }
        for folder in folders {
            guard let servers = Self.node(at: ["mcpServers"], in: folder.value) else { continue }
            let off = Self.node(at: ["disabledMcpServers"], in: folder.value)?.elements.compactMap(\.text.string) ?? []
            self.projects.append(Project(folder: folder.key, servers: servers, switchedOff: Set(off)))
        }
    }

    /// `null` counts as absent.
    private static func node(at path: [String], in root: ConfigurationNode) -> ConfigurationNode? {
        var node = root
        for key in path {
            guard let member = node.members.first(where: { $0.key == key }), member.value.kind != .null else {
                return nil
            }
            node = member.value
        }
        return node
    }
}
