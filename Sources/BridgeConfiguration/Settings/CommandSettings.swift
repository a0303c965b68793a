/// What a command says about the bridge that it runs. Its flags win over the file and the environment, what it does by itself
/// gives way to both.
package struct CommandSettings: Sendable, Hashable {
    package var listen: [ListenAddress]?
    package var serverName: String?
    package var drainTimeout: Seconds?
    /// The server's name where neither a flag nor the file gives it one.
    package var standardServerName: String?
    /// What clients are told about this server where the file says nothing.
    package var standardInstructions: String?
    /// What the log has of what is said to models where the file does not say.
    package var standardContent: AuditPolicy.Content?
    /// How long a model's answer is waited for where neither file nor environment say.
    package var standardChatTimeout: Seconds?
    /// Whether the built-in demo server is served where nothing else is.
    package var servesDemo = true

    package init() {}

    /// What the command does by itself.
    ///
    /// - Parameter isWritten: whether the file says something of a setting.
    func applyStandards(to settings: inout BridgeSettings, isWritten: (String) -> Bool) {
        if let standardServerName, !isWritten("serverName") { settings.serverName = standardServerName }
        if let standardInstructions, !isWritten("instructions") { settings.instructions = standardInstructions }
        if let standardContent, !isWritten("audit.content") { settings.audit.content = standardContent }
        if let standardChatTimeout, !isWritten("chat.timeout") { settings.chat.timeout = standardChatTimeout }
    }

    /// What its flags say.
    func apply(to settings: inout BridgeSettings) {
        if let listen { settings.listen = listen }
        if let drainTimeout { settings.drainTimeout = drainTimeout }
        if let serverName { settings.serverName = serverName }
    }
}
