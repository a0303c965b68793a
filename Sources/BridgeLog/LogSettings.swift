package import Logging

/// What the environment says about logging.
package struct LogSettings: Hashable, Sendable {
    package enum Console: Hashable, Sendable {
        case journal
        case text(TextColors)
        /// Text as mcp-proxy wrote it.
        case gateway
        /// Text as MCPTokenBridge wrote it.
        case tokenBridge(TextColors)
    }

    package var level: Logger.Level
    package var console: Console
    package var file: RotatingFile.Settings?
    /// Settings that make no sense, and what is used instead: to be logged first thing.
    package var complaints: [String] = []

    /// - Parameters:
    ///   - environment: `MCP_BRIDGE_LOG_LINES` (from the supervisor: `gateway` or `token-bridge`), `MCP_BRIDGE_LOG_LEVEL`, `MCP_BRIDGE_LOG_PATH`, `MCP_BRIDGE_LOG_MAX_BYTES`,
    ///     `MCP_BRIDGE_LOG_BACKUPS`, and those of ``TextColors``.
    ///   - level: wins over the environment; `info` without either.
    ///   - isJournal: standard error goes to the journal.
    ///   - isTerminal: standard error goes to a terminal.
    package init(environment: [String: String], level: Logger.Level?, isJournal: Bool, isTerminal: Bool) {
        self.level = level ?? .info
        let colors = TextColors(environment: environment, isTerminal: isTerminal)
        self.console = isJournal ? .journal : .text(colors)
        switch environment["MCP_BRIDGE_LOG_LINES"] {
        case "gateway": self.console = .gateway
        case "token-bridge": self.console = .tokenBridge(colors)
        default: break
        }
        if level == nil, let name = environment["MCP_BRIDGE_LOG_LEVEL"], !name.isEmpty {
            if let level = Logger.Level(named: name) {
                self.level = level
            } else {
                self.complaints.append("MCP_BRIDGE_LOG_LEVEL is not a level, info is used")
            }
        }
        guard let path = environment["MCP_BRIDGE_LOG_PATH"], !path.isEmpty else { return }
        var file = RotatingFile.Settings(path: path)
        file.maximumBytes = self.number("MCP_BRIDGE_LOG_MAX_BYTES", in: environment, 1...Int.max) ?? file.maximumBytes
        file.backups = self.number("MCP_BRIDGE_LOG_BACKUPS", in: environment, 0...1_000) ?? file.backups
        self.file = file
    }

    private mutating func number(
        _ name: String,
        in environment: [String: String],
        _ range: ClosedRange<Int>
    ) -> Int? {
        guard let text = environment[name], !text.isEmpty else { return nil }
        if let number = Int(text), range.contains(number) { return number }
        self.complaints.append("\(name) is not a number in its range, the default is used")
        return nil
    }
}
