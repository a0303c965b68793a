/// What the flags of a command say about the bridge that it runs. They win over the file and the environment.
package struct CommandSettings: Sendable, Hashable {
    package var listen: [ListenAddress]?
    package var serverName: String?
    /// The server's name where neither a flag nor the file gives it one.
    package var standardServerName: String?
    /// What clients are told about this server where the file says nothing.
    package var standardInstructions: String?
    package var drainTimeout: Seconds?
    /// What the log has of what is said to models where the file does not say.
    package var standardContent: AuditPolicy.Content?
    /// Whether the built-in demo server is served where nothing else is.
    package var servesDemo = true

    package init() {}

    /// - Parameter isWritten: whether the file says something of a setting.
    func apply(to settings: inout BridgeSettings, isWritten: (String) -> Bool) {
        if let listen { settings.listen = listen }
        if let drainTimeout { settings.drainTimeout = drainTimeout }
        if settings.instructions == nil { settings.instructions = self.standardInstructions }
        if let standardContent, !isWritten("audit.content") { settings.audit.content = standardContent }
        if let standardServerName, settings.serverName == BridgeSettings().serverName {
            settings.serverName = standardServerName
        }
        if let serverName { settings.serverName = serverName }
    }
}
