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

    /// Where a user's own service's configuration may be, best first.
    ///
    /// The first is what the user unit's `ConfigurationDirectory=` comes to. A file in `~/.config` counts also where
    /// `$XDG_CONFIG_HOME` is another folder, as long as there is none in that one.
    package static func userFiles(environment: [String: String]) -> [String] {
        let folder = self.baseFolder("XDG_CONFIG_HOME", usual: ".config", environment: environment)
        let usual = RelativePath.join(self.home(environment), ".config")
        return (folder == usual ? [usual] : [folder, usual]).map {
            RelativePath.join($0, "mcp-bridge/config.json")
        }
    }

    /// A folder of the XDG Base Directory Specification: the variable's, else the usual one in the home. What is not
    /// absolute does not count. Without a slash at the end.
    package static func baseFolder(_ variable: String, usual: String, environment: [String: String]) -> String {
        guard let folder = environment[variable], folder.hasPrefix("/") else {
            return RelativePath.join(self.home(environment), usual)
        }
        return self.withoutSlash(folder)
    }

    /// Where to look for the configuration, best first: `--config`, else `$MCP_BRIDGE_CONFIG`, else
    /// `/etc/mcp-bridge/config.json` for the system service and ``userFiles(environment:)`` for a user's.
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
        let paths = isSystemService ? [Self.systemFile] : Self.userFiles(environment: environment)
        return paths.map { Candidate(path: $0, isRequired: false) }
    }

    /// `$STATE_DIRECTORY` (the first, when systemd names several), else `$MCP_BRIDGE_CONFIG_DIR`, else
    /// `~/.config/mcp-bridge`, whatever `$XDG_CONFIG_HOME` says, or what is there would be lost. Without a slash at the
    /// end.
    package static func stateDirectory(environment: [String: String]) -> String {
        let home = self.home(environment)
        let given = environment["STATE_DIRECTORY"]?.split(separator: ":").first.map(String.init)
        let asked = [given, environment["MCP_BRIDGE_CONFIG_DIR"]].compactMap(\.self).first { !$0.isEmpty }
        return self.withoutSlash(
            asked.map { EnvironmentSettings.path($0, home: home) } ?? "\(home)/.config/mcp-bridge")
    }

    private static func withoutSlash(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    private static func home(_ environment: [String: String]) -> String {
        environment["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? "/"
    }
}
