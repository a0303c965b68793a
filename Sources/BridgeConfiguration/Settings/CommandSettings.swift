/// What the flags of a command say about the bridge that it runs. They win over the file and the environment.
package struct CommandSettings: Sendable, Hashable {
    package var listen: [ListenAddress]?
    package var serverName: String?
    /// The server's name where neither a flag nor the file gives it one.
    package var standardServerName: String?

    package init() {}

    func apply(to settings: inout BridgeSettings) {
        if let listen { settings.listen = listen }
        if let standardServerName, settings.serverName == BridgeSettings().serverName {
            settings.serverName = standardServerName
        }
        if let serverName { settings.serverName = serverName }
    }
}
