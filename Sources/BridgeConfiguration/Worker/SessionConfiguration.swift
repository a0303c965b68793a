/// What the supervisor tells the session worker.
package struct SessionConfiguration: Sendable, Hashable, Codable {
    /// In the order of the configuration, which decides who owns a resource that two upstreams list.
    package var upstreams: [UpstreamRoute]
    /// Those that have no worker, because they cannot run.
    package var failed: [FailedServer]
    /// Between an upstream's prefix and its own name.
    package var separator: String
    package var names: NameStyle
    /// `clientInfo.name`s that are shown safe names when ``names`` is `auto`; compared whole and case-insensitively.
    package var safeNamesFor: [String]
    /// How long a list waits for upstreams that have never been listed; 0 is never.
    package var listWait: Seconds
    /// Entries in one page of a list; `nil` is everything in one.
    package var pageSize: Int?
    package var toolCachePath: String
    package var sessionJournalPath: String
    /// 32 bytes, base64.
    package var sealingKey: Secret
    package var sessionLifetime: Seconds
    /// An idle session leaves memory after this long; its id stays good.
    package var idleMemory: Seconds
    /// How long a result that nobody fetched waits for `Last-Event-ID`.
    package var resultRetention: Seconds
    /// Calls under way at once, over all sessions; more are refused as overloaded.
    package var maximumInFlight: Int
    /// The most bytes of requests, and as many of answers, that the worker holds; pieces from 16 KiB on count.
    package var workerBytes: Int
    package var logLevel: ConfiguredLogLevel
    package var serverName: String
    package var serverVersion: String
    package var instructions: String?
    package var chat: ChatSettings

    package init(
        upstreams: [UpstreamRoute] = [],
        failed: [FailedServer] = [],
        separator: String = ".",
        names: NameStyle = .auto,
        safeNamesFor: [String] = SafeNameClients.standard,
        listWait: Seconds = 10,
        pageSize: Int? = nil,
        toolCachePath: String,
        sessionJournalPath: String,
        sealingKey: Secret,
        sessionLifetime: Seconds = 604_800,
        idleMemory: Seconds = 1_800,
        resultRetention: Seconds = 60,
        maximumInFlight: Int = 4_096,
        workerBytes: Int = 128 << 20,
        logLevel: ConfiguredLogLevel = .info,
        serverName: String = "mcp-bridge",
        serverVersion: String,
        instructions: String? = nil,
        chat: ChatSettings = ChatSettings()
    ) {
        self.upstreams = upstreams
        self.failed = failed
        self.separator = separator
        self.names = names
        self.safeNamesFor = safeNamesFor
        self.listWait = listWait
        self.pageSize = pageSize
        self.toolCachePath = toolCachePath
        self.sessionJournalPath = sessionJournalPath
        self.sealingKey = sealingKey
        self.sessionLifetime = sessionLifetime
        self.idleMemory = idleMemory
        self.resultRetention = resultRetention
        self.maximumInFlight = maximumInFlight
        self.workerBytes = workerBytes
        self.logLevel = logLevel
        self.serverName = serverName
        self.serverVersion = serverVersion
        self.instructions = instructions
        self.chat = chat
    }

    /// Whether a client that introduced itself by this name is shown safe names.
    package func showsSafeNames(to client: String?) -> Bool {
        switch self.names {
        case .dot: return false
        case .safe: return true
        case .auto:
            guard let client = client?.lowercased() else { return false }
            return self.safeNamesFor.contains { $0.lowercased() == client }
        }
    }
}
