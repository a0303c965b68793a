package import BridgeCore

/// What the supervisor tells the worker of one upstream.
package struct UpstreamConfiguration: Sendable, Hashable, Codable {
    package var name: String
    package var transport: TransportSettings
    /// Of an upstream over HTTP; nil where tokens are nobody's business.
    package var oauth: OAuthSettings?
    package var timeouts: UpstreamTimeouts
    package var pingInterval: Seconds
    package var refreshInterval: Seconds
    package var start: StartPolicy
    /// The child is stopped after this long without a call; `nil` is never.
    package var idleStop: Seconds?
    /// Who shares one child.
    package var share: SharePolicy
    /// Children at once, beside the one that is listed, where they are not shared by all.
    package var lanes: Int
    /// Whether the server asks in the middle of calls; `nil`: that is found out.
    package var asks: Bool?
    /// Told to the upstream when it asks for roots and no client can be asked.
    package var roots: [Root]
    package var limits: ResourceLimits
    package var reconnect: ReconnectPolicy
    /// The soft `RLIMIT_NOFILE` the service was started with, given back to the child.
    package var originalNoFileLimit: UInt64?
    /// The cgroup directory that the child's tree lives in, where one was delegated.
    package var cgroup: String?
    /// A longer line from the child is skipped and logged; if it answers a call, the call fails with `outcome_unknown`.
    package var maximumLineBytes: Int
    /// The most bytes of requests, and as many of answers, that the worker holds; pieces from 16 KiB on count.
    package var workerBytes: Int
    package var logLevel: ConfiguredLogLevel
    /// The bridge's own version, for `clientInfo`.
    package var version: String

    package init(
        name: String,
        transport: TransportSettings,
        oauth: OAuthSettings? = nil,
        timeouts: UpstreamTimeouts = UpstreamTimeouts(),
        pingInterval: Seconds = 60,
        refreshInterval: Seconds = 300,
        start: StartPolicy = .eager,
        idleStop: Seconds? = nil,
        share: SharePolicy = .all,
        lanes: Int = 8,
        asks: Bool? = nil,
        roots: [Root] = [],
        limits: ResourceLimits = ResourceLimits(),
        reconnect: ReconnectPolicy = ReconnectPolicy(),
        originalNoFileLimit: UInt64? = nil,
        cgroup: String? = nil,
        maximumLineBytes: Int = 64 << 20,
        workerBytes: Int = 128 << 20,
        logLevel: ConfiguredLogLevel = .info,
        version: String
    ) {
        self.name = name
        self.transport = transport
        self.oauth = oauth
        self.timeouts = timeouts
        self.pingInterval = pingInterval
        self.refreshInterval = refreshInterval
        self.start = start
        self.idleStop = idleStop
        self.share = share
        self.lanes = lanes
        self.asks = asks
        self.roots = roots
        self.limits = limits
        self.reconnect = reconnect
        self.originalNoFileLimit = originalNoFileLimit
        self.cgroup = cgroup
        self.maximumLineBytes = maximumLineBytes
        self.workerBytes = workerBytes
        self.logLevel = logLevel
        self.version = version
    }
}
