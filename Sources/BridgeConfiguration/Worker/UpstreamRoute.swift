package import BridgeMCP

/// What the session worker has to know about one upstream.
package struct UpstreamRoute: Sendable, Hashable, Codable {
    package var name: String
    /// Path of the upstream worker's Unix socket.
    package var socket: String
    /// Tells programs apart: what one of them lists is not what another will. See ``UpstreamTarget/fingerprint``.
    package var program: String
    /// What stands before the separator: `nil` is the upstream's name, the empty string leaves names as they are.
    package var prefix: String?
    package var tools: NameFilter
    package var prompts: NameFilter
    package var resources: NameFilter
    /// Without progress, a call ends after this long.
    package var callTimeout: Seconds
    /// By the upstream's own tool name, where it differs from ``callTimeout``.
    package var toolTimeouts: [String: Seconds]
    /// So long a client may take to answer what the upstream asks it; the call's own time stands still meanwhile.
    package var questionTimeout: Seconds
    package var retry: RetryPolicy
    /// Who shares one child of it.
    package var share: SharePolicy

    package init(
        name: String,
        socket: String,
        program: String = "",
        prefix: String? = nil,
        tools: NameFilter = NameFilter(),
        prompts: NameFilter = NameFilter(),
        resources: NameFilter = NameFilter(),
        callTimeout: Seconds = 300,
        toolTimeouts: [String: Seconds] = [:],
        questionTimeout: Seconds = 600,
        retry: RetryPolicy = .none,
        share: SharePolicy = .all
    ) {
        self.name = name
        self.socket = socket
        self.program = program
        self.prefix = prefix
        self.tools = tools
        self.prompts = prompts
        self.resources = resources
        self.callTimeout = callTimeout
        self.toolTimeouts = toolTimeouts
        self.questionTimeout = questionTimeout
        self.retry = retry
        self.share = share
    }

    /// How long a call of this tool (the upstream's own name) may go without progress.
    package func timeout(tool: String) -> Seconds {
        self.toolTimeouts[tool] ?? self.callTimeout
    }
}
