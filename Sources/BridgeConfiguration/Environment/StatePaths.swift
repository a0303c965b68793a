/// The files in the state directory.
package struct StatePaths: Sendable, Hashable {
    package let directory: String
    package let toolCache: String
    package let sessionJournal: String
    /// What `POST|DELETE /servers` changed.
    package let servers: String
    /// The key that seals session ids, where systemd passes none.
    package let sealingKey: String
    package let oauthState: String

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
        self.oauthState = path(settings.oauthStatePath, "oauth-state.json")
    }
}
