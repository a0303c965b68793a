package import BridgeAccess

/// Everything under `bridge`. ``SettingTable`` says how each is written, what it is for and when a change takes effect.
package struct BridgeSettings: Sendable, Hashable {
    package var listen: [ListenAddress] = [.standard]
    package var mcpPath = "/mcp"
    package var serverName = "mcp-bridge"
    package var instructions: String?
    package var names: NameStyle = .auto
    package var separator = "."
    package var safeNamesFor: [String] = SafeNameClients.standard
    package var listWait: Seconds = 10
    package var pageSize: Int?
    /// As it is written; see ``tokenRule``.
    package var requireToken: TokenRule?
    package var hosts: [String] = []
    package var origins: [OriginPattern] = OriginPattern.standard
    package var publicURL: String?
    package var trustedProxies: [String] = []
    package var peers = PeerGrants()
    package var limits = FrontLimits()
    /// Of all requests with a token together.
    package var tokenRate: TokenRate?
    package var maximumInFlight = 4_096
    /// In bytes, for each of the session worker and the upstream workers.
    package var workerBytes = 128 << 20
    package var audit = AuditPolicy()
    package var log = LogFileSettings()
    package var sessionLifetime: Seconds = 604_800
    package var idleMemory: Seconds = 1_800
    package var resultRetention: Seconds = 60
    /// Where the receiver for sign-ins listens, on 127.0.0.1.
    package var signInPort = 8_770
    package var keepAliveInterval: Seconds = 15
    /// What servers have that do not say otherwise.
    package var timeouts = UpstreamTimeouts()
    package var pingInterval: Seconds = 60
    package var refreshInterval: Seconds = 300
    package var reconnect = ReconnectPolicy()
    package var drainTimeout: Seconds = 20
    package var chat = ChatSettings()

    package init() {}
}
