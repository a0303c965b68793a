/// Where configuration and state lie.
package enum ConfigurationLocations {
    package struct Candidate: Sendable, Hashable {
        package let path: String
        /// Whether it was asked for, so that its absence is an error: ``notFound``.
        package let isRequired: Bool

        /// What to say when a required file is not there.
        package var notFound: String { "Config file not found: \(self.path)" }
    }

    /// The system service's configuration.
    package static let systemFile = "/etc/mcp-bridge/config.json"

    /// A user's own service's configuration.
    package static func userFile(environment: [String: String]) -> String {
        "\(self.home(environment))/.config/mcp-bridge/config.json"
    }

    /// Where to look for the configuration, best first: `--config`, else `$MCP_BRIDGE_CONFIG`, else
    /// `/etc/mcp-bridge/config.json` for the system service and `~/.config/mcp-bridge/config.json` for a user's.
    ///
    /// The first of them that was asked for is the only one.
    package static func candidates(
        flag: String?, environment: [String: String], isSystemService: Bool
    ) -> [Candidate] {
        let home = self.home(environment)
        for asked in [flag, environment["MCP_BRIDGE_CONFIG"]] {
            guard let asked, !asked.isEmpty else { continue }
            return [Candidate(path: EnvironmentSettings.path(asked, home: home), isRequired: true)]
        }
        let path = isSystemService ? Self.systemFile : Self.userFile(environment: environment)
        return [Candidate(path: path, isRequired: false)]
    }

    /// `$STATE_DIRECTORY` (the first, when systemd names several), else `$MCP_BRIDGE_CONFIG_DIR`, else
    /// `~/.config/mcp-bridge`. Without a slash at the end.
    package static func stateDirectory(environment: [String: String]) -> String {
        let home = self.home(environment)
        let given = environment["STATE_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        let asked = [given, environment["MCP_BRIDGE_CONFIG_DIR"]].compactMap(\.self).first { !$0.isEmpty }
        var path = asked.map { EnvironmentSettings.path($0, home: home) } ?? "\(home)/.config/mcp-bridge"
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private static func home(_ environment: [String: String]) -> String {
        environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"
    }
}
