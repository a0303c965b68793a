/// What the supervisor knows and no configuration says.
package struct RuntimeFacts: Sendable {
    /// Absolute; the workers' own sockets lie in it.
    package var runDirectory: String
    package var statePaths: StatePaths
    /// 32 bytes, base64.
    package var sealingKey: Secret
    /// By which tokens' secrets are hashed: 32 bytes, base64.
    package var tokenKey: Secret?
    /// By which the files of sign-ins are sealed, where the operator has given a key: 32 bytes, base64.
    package var oauthKey: Secret?
    package var serviceUID: UInt32
    /// The service's environment, of which children get the harmless part.
    package var environment: [String: String]
    package var version: String
    /// The soft `RLIMIT_NOFILE` before the service raised it.
    package var originalNoFileLimit: UInt64?
    /// The delegated cgroup's directory, where there is one.
    package var cgroupDirectory: String?
    /// See ``FrontConfiguration/isOpenOnLoopback``.
    package var isOpenOnLoopback = false

    package init(
        runDirectory: String,
        statePaths: StatePaths,
        sealingKey: Secret,
        tokenKey: Secret? = nil,
        serviceUID: UInt32,
        environment: [String: String],
        version: String,
        originalNoFileLimit: UInt64? = nil,
        cgroupDirectory: String? = nil
    ) {
        self.runDirectory = runDirectory
        self.statePaths = statePaths
        self.sealingKey = sealingKey
        self.tokenKey = tokenKey
        self.serviceUID = serviceUID
        self.environment = environment
        self.version = version
        self.originalNoFileLimit = originalNoFileLimit
        self.cgroupDirectory = cgroupDirectory
    }

    /// The session worker's socket.
    package var sessionSocket: String { RelativePath.join(self.runDirectory, "session.sock") }

    /// The socket of an upstream's worker. Short enough for `sockaddr_un` in any run directory of up to 45 bytes.
    package func socket(of upstream: UpstreamEntry) -> String {
        RelativePath.join(self.runDirectory, "upstream-\(upstream.fileName).sock")
    }

    /// The cgroup of an upstream's tree, where one can be made.
    package func cgroup(of upstream: UpstreamEntry) -> String? {
        self.cgroupDirectory.map { RelativePath.join($0, "upstream-\(upstream.fileName)") }
    }
}

/// The environment can hold the bridge's own secrets.
extension RuntimeFacts: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "RuntimeFacts(\(self.runDirectory), \(self.version))" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
