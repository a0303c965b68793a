/// What the supervisor tells the front worker.
package struct FrontConfiguration: Sendable, Hashable, Codable {
    /// Path of the session worker's Unix socket.
    package var sessionSocket: String
    /// Where MCP is served; begins with `/`, does not end with one.
    package var mcpPath: String
    /// The name the service gives itself (`GET /`, `serverInfo`).
    package var publicName: String
    package var version: String
    /// Further names, lower-cased and without a port, that a `Host` header may carry.
    package var hosts: [String]
    /// Who needs a token. Of the one who listens beyond loopback, everybody does, whatever this says.
    package var requireToken: TokenRule
    /// Of all requests with a token together, as `TokenRate` is written.
    package var tokenRate: String?
    package var origins: [OriginPattern]
    /// Addresses and CIDR blocks of proxies whose word about a client's address is believed.
    package var trustedProxies: [String]
    /// How the service is reached from outside; no trailing slash.
    package var publicURL: String?
    package var limits: FrontLimits
    /// Grants by user id for the local socket. The service's own user and root have them all; see ``grants(uid:)``.
    package var peers: [Int: [PeerGrant]]
    /// Grants of every user not named in ``peers``.
    package var otherPeers: [PeerGrant]
    package var serviceUID: UInt32
    /// Whether any process of this machine may change what is served, by plain loopback: mcp-proxy's way.
    package var isOpenOnLoopback: Bool
    /// How often an open SSE stream that has nothing to say sends a comment.
    package var keepAliveInterval: Seconds
    package var chatStreams: ChatStreamSettings
    /// For the answer to a request to a model, from when it has come; nil is no limit.
    package var chatTimeout: Seconds?
    /// The database; `nil`: there is none, and so there are no tokens.
    package var database: String?
    /// By which secrets are hashed: 32 bytes, base64.
    package var tokenKey: Secret?
    package var audit: AuditPolicy
    package var logLevel: ConfiguredLogLevel

    package init(
        sessionSocket: String,
        mcpPath: String = "/mcp",
        publicName: String = "mcp-bridge",
        version: String,
        hosts: [String] = [],
        requireToken: TokenRule = .remote,
        tokenRate: String? = nil,
        origins: [OriginPattern] = OriginPattern.standard,
        trustedProxies: [String] = [],
        publicURL: String? = nil,
        limits: FrontLimits = FrontLimits(),
        peers: [Int: [PeerGrant]] = [:],
        otherPeers: [PeerGrant] = [.mcp],
        serviceUID: UInt32,
        isOpenOnLoopback: Bool = false,
        keepAliveInterval: Seconds = 15,
        chatStreams: ChatStreamSettings = ChatStreamSettings(),
        chatTimeout: Seconds? = ChatSettings.standardTimeout,
        database: String? = nil,
        tokenKey: Secret? = nil,
        audit: AuditPolicy = AuditPolicy(),
        logLevel: ConfiguredLogLevel = .info
    ) {
        self.sessionSocket = sessionSocket
        self.mcpPath = mcpPath
        self.publicName = publicName
        self.version = version
        self.hosts = hosts
        self.requireToken = requireToken
        self.tokenRate = tokenRate
        self.origins = origins
        self.trustedProxies = trustedProxies
        self.publicURL = publicURL
        self.limits = limits
        self.peers = peers
        self.otherPeers = otherPeers
        self.serviceUID = serviceUID
        self.isOpenOnLoopback = isOpenOnLoopback
        self.keepAliveInterval = keepAliveInterval
        self.chatStreams = chatStreams
        self.chatTimeout = chatTimeout
        self.database = database
        self.tokenKey = tokenKey
        self.audit = audit
        self.logLevel = logLevel
    }

    /// What the process with this user id (from `SO_PEERCRED`, never from anything it sent) may do.
    package func grants(uid: UInt32) -> Set<PeerGrant> {
        if uid == 0 || uid == self.serviceUID { return Set(PeerGrant.allCases) }
        return Set(self.peers[Int(uid)] ?? self.otherPeers)
    }

    /// Whether an `Origin` header's value is on the allowlist.
    package func allows(origin: some StringProtocol) -> Bool {
        self.origins.contains { $0.matches(origin) }
    }
}
