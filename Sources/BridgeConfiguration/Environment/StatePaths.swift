/// The files in the state directory.
package struct StatePaths: Sendable, Hashable {
    package let directory: String
    package let toolCache: String
    package let sessionJournal: String
    /// What `POST|DELETE /servers` changed.
    package let servers: String
    /// The key that seals session ids, where systemd passes none.
    package let sealingKey: String
    /// The key by which tokens' secrets are hashed, where systemd passes none.
    package let tokenKey: String
    /// Tokens, budgets and the audit.
    package let database: String
    /// The one file of mcp-bridge for Node.
    package let oauthState: String
    /// Whether a variable says where that is.
    package let isOAuthStateNamed: Bool
    /// Of the files of sign-ins.
    package let oauthFolder: String

    package init(environment: [String: String]) {
        let directory = ConfigurationLocations.stateDirectory(environment: environment)
        let settings = EnvironmentSettings(environment)
        let home = environment["HOME"] ?? "/"
        let path = { (asked: String?, name: String) in
            asked.map { EnvironmentSettings.path($0, home: home) } ?? RelativePath.join(directory, name)
        }
        self.directory = directory
        self.toolCache = path(settings.toolCachePath, "tools-cache.json")
        self.sessionJournal = path(nil, "sessions.journal")
        self.servers = path(nil, "servers.json")
        self.sealingKey = path(nil, "sealing.key")
        self.tokenKey = path(nil, "token.key")
        self.database = path(nil, "bridge.sqlite")
        self.isOAuthStateNamed = settings.oauthStatePath != nil
        self.oauthFolder = path(nil, "oauth")
        self.oauthState = path(settings.oauthStatePath, "oauth-state.json")
    }
}
