/// Those of the environment variables that are settings and servers. They win over the file: a unit's drop-in or a
/// container's command line is nearer to the operator than a file that several machines may share. An empty variable is
/// an unset one. Elsewhere are `MCP_BRIDGE_CONFIG` (``ConfigurationLocations``), `MCP_BRIDGE_LOG_LEVEL` (BridgeLog) and
/// `MCPTB_…` (``ChatEnvironment``).
///
/// | variable | default | in place of |
/// |---|---|---|
/// | `MCP_BRIDGE_PORT` | 8769 | the port in `bridge.listen` |
/// | `MCP_BRIDGE_HOST` | 127.0.0.1 | the address in `bridge.listen` |
/// | `MCP_BRIDGE_MCP_PATH` | /mcp | `bridge.mcpPath` |
/// | `MCP_BRIDGE_OVERSEER_URL` | | adds the remote server `overseer`, its names without prefix |
/// | `MCP_BRIDGE_SENTINEL_COMMAND` | | adds the program `sentinel`, its names without prefix |
/// | `MCP_BRIDGE_SENTINEL_ARGS` | | its arguments, split at white space |
/// | `MCP_BRIDGE_CONFIG_DIR` | ~/.config/mcp-bridge | the state directory where systemd gives none |
/// | `MCP_BRIDGE_OAUTH_STATE_PATH` | oauth-state.json in the state directory | where mcp-bridge for Node kept its sign-in |
/// | `MCP_BRIDGE_TOOL_CACHE_PATH` | tools-cache.json in the state directory | |
/// | `MCP_BRIDGE_LOG_PATH` | | `bridge.log.path` |
/// | `MCP_BRIDGE_LOG_MAX_BYTES` | 5242880 | `bridge.log.maxBytes` |
/// | `MCP_BRIDGE_LOG_BACKUPS` | 5 | `bridge.log.backups` |
package struct EnvironmentSettings: Sendable, Hashable {
    package private(set) var port: Int?
    /// An IP address without brackets.
    package private(set) var host: String?
    package private(set) var mcpPath: String?
    package private(set) var overseerURL: String?
    /// What the overseer is reached through, by the service's variables for proxies.
    package private(set) var overseerProxy: RemoteTarget.Proxy?
    package private(set) var sentinelCommand: String?
    package private(set) var sentinelArguments: [String] = []
    package private(set) var oauthStatePath: String?
    package private(set) var toolCachePath: String?
    package private(set) var logPath: String?
    package private(set) var logMaximumBytes: Int?
    package private(set) var logBackups: Int?
    package private(set) var diagnostics: [ConfigurationDiagnostic] = []

    /// Reads them; a bad one is reported and counts as unset.
    package init(_ variables: [String: String]) {
        let value = { (name: String) -> String? in variables["MCP_BRIDGE_\(name)"].flatMap { $0.isEmpty ? nil : $0 } }
        self.port = value("PORT").flatMap {
            self.checked("PORT", ListenAddress.port($0), "must be a port, 0 to 65535.")
        }
        self.host = value("HOST").flatMap {
            self.checked("HOST", ListenAddress.host($0), "must be an IP address or 'localhost'.")
        }
        self.mcpPath = value("MCP_PATH").flatMap {
            self.checked("MCP_PATH", MCPPath.normalized($0), MCPPath.complaint)
        }
        self.overseerURL = value("OVERSEER_URL").flatMap {
            let isURL = $0.lowercased().hasPrefix("http://") || $0.lowercased().hasPrefix("https://")
            return self.checked("OVERSEER_URL", isURL ? $0 : nil, "must begin with 'https://' or 'http://'.")
        }
        self.findProxy(variables)
        self.sentinelCommand = value("SENTINEL_COMMAND")
        self.sentinelArguments = (value("SENTINEL_ARGS") ?? "").split { $0.isWhitespace }.map(String.init)
        self.oauthStatePath = value("OAUTH_STATE_PATH")
        self.toolCachePath = value("TOOL_CACHE_PATH")
        self.logPath = value("LOG_PATH")
        self.logMaximumBytes = value("LOG_MAX_BYTES").flatMap {
            self.checked("LOG_MAX_BYTES", Int($0).flatMap { $0 > 0 ? $0 : nil }, "must be a number of bytes above 0.")
        }
        self.logBackups = value("LOG_BACKUPS").flatMap {
            self.checked("LOG_BACKUPS", Int($0).flatMap { (0...1_000).contains($0) ? $0 : nil }, "must be 0 to 1000.")
        }
    }

    private mutating func checked<Value>(_ name: String, _ value: Value?, _ complaint: String) -> Value? {
        if value == nil { self.report(.error, name, complaint) }
        return value
    }

    /// Without the proxy that is asked for, the overseer is not reached at all.
    private mutating func findProxy(_ variables: [String: String]) {
        guard let url = self.overseerURL else { return }
        switch ProxyRule(entry: [:], service: variables).verdict(on: url) {
        case .direct: break
        case .proxy(let proxy): self.overseerProxy = proxy
        case .unknown(let variable):
            self.overseerURL = nil
            self.report(.error, "OVERSEER_URL", ProxyRule.complaint(about: variable), remedy: ProxyRule.remedy)
        }
    }

    private mutating func report(
        _ severity: ConfigurationDiagnostic.Severity, _ name: String, _ message: String, remedy: String? = nil
    ) {
        self.diagnostics.append(
            ConfigurationDiagnostic(
                severity, reach: name == "OVERSEER_URL" ? .needs("overseer") : .service, file: "environment",
                keyPath: "MCP_BRIDGE_\(name)", message: message, remedy: remedy
            )
        )
    }
}

extension EnvironmentSettings {
    /// Lays the variables over the file's settings.
    func apply(to settings: inout BridgeSettings, home: String) {
        if self.setsListen {
            var host = "127.0.0.1"
            var port = 8_769
            for case .tcp(let fileHost, let filePort) in settings.listen.prefix(1) {
                (host, port) = (fileHost, filePort)
            }
            let unix = settings.listen.filter { if case .unix = $0 { true } else { false } }
            settings.listen = [.tcp(host: self.host ?? host, port: self.port ?? port)] + unix
        }
        if let path = self.mcpPath { settings.mcpPath = path }
        if let path = self.logPath { settings.log.path = Self.path(path, home: home) }
        if let bytes = self.logMaximumBytes { settings.log.maximumBytes = bytes }
        if let backups = self.logBackups { settings.log.backups = backups }
    }

    /// Servers that the variables name and that cannot run.
    var troubledServers: [TroubledServer] {
        self.diagnostics.compactMap { diagnostic in
            guard diagnostic.severity == .error, let server = diagnostic.reach.server else { return nil }
            return TroubledServer(name: server, kind: "http", isEnabled: true, prefix: "", troubles: [diagnostic])
        }
    }

    /// Whether the address to listen on comes from here.
    var setsListen: Bool { self.host != nil || self.port != nil }

    static func path(_ path: String, home: String) -> String {
        path.hasPrefix("~/") ? RelativePath.join(home, path.dropFirst(2)) : path
    }

    /// The servers that the variables name. Clients of a bridge configured this way know its tools by their bare names.
    func servers(timeouts: UpstreamTimeouts) -> [UpstreamEntry] {
        var targets: [(String, UpstreamTarget)] = []
        if let url = self.overseerURL {
            var endpoint = UpstreamTarget.Endpoint(url: ConfiguredText(url, masked: SecretMask.url(url)))
            endpoint.proxy = self.overseerProxy
            targets.append(("overseer", .remote(endpoint)))
        }
        if let command = self.sentinelCommand {
            var program = UpstreamTarget.Program(command: ConfiguredText(command))
            program.arguments = zip(self.sentinelArguments, SecretMask.arguments(self.sentinelArguments)).map {
                ConfiguredText($0, masked: $1)
            }
            targets.append(("sentinel", .stdio(program)))
        }
        return targets.map { name, target in
            var entry = UpstreamEntry(name: name, target: target)
            entry.prefix = ""
            // As mcp-bridge for Node was registered there.
            if name == "overseer" {
                entry.oauth.scopes = ["overseer.all"]
                entry.oauth.tokenEndpointMethod = .post
            }
            entry.timeouts = timeouts
            return entry
        }
    }
}

/// A URL and arguments can hold secrets.
extension EnvironmentSettings: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "EnvironmentSettings(\(self.diagnostics.count) diagnostics)" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
