import BridgeCore
package import NIOCore

/// What came of reading a configuration.
package struct LoadedConfiguration: Sendable, Hashable {
    /// `nil` when there is at least one error.
    package let configuration: BridgeConfiguration?
    package let diagnostics: [ConfigurationDiagnostic]

    package var errors: [ConfigurationDiagnostic] { self.diagnostics.filter { $0.severity == .error } }
    package var warnings: [ConfigurationDiagnostic] { self.diagnostics.filter { $0.severity == .warning } }
}

/// Makes a configuration of a file, the environment and what was changed at run time, each laid over the one before.
///
/// A mistake in the file or the environment refuses the whole; one in the overlay costs only that entry, with a
/// warning, because nobody who starts the service has written it.
package struct ConfigurationLoader: Sendable {
    package let context: LoadingContext
    private let environment: EnvironmentSettings

    package init(context: LoadingContext) {
        self.context = context
        self.environment = EnvironmentSettings(context.variables)
    }

    /// `source` is `nil` where there is no configuration file; then, unless the environment names servers, the built-in
    /// demo server is the only one.
    package func load(_ source: ConfigurationSource?, overlay: ServersOverlay = ServersOverlay()) -> LoadedConfiguration
    {
        var file = ConfigurationFileReader(context: self.context)
        if let source { file.read(source) }
        var diagnostics = file.report.sorted + self.environment.diagnostics

        var settings = file.settings
        self.environment.apply(to: &settings, home: self.context.homeDirectory)
        var configuration = BridgeConfiguration(settings: settings, servers: file.entries)
        for entry in self.environment.servers(timeouts: settings.timeouts) {
            if configuration.server(named: entry.name) != nil {
                diagnostics.append(Self.replaced(entry.name))
            }
            configuration.put(entry)
        }
        if source == nil, configuration.servers.isEmpty { configuration.put(self.demo) }
        diagnostics += self.clashes(in: configuration, file: file)
        diagnostics += self.frontDoor(settings, file: file)
        self.lay(overlay, over: &configuration, diagnostics: &diagnostics)

        let isValid = !diagnostics.contains { $0.severity == .error }
        return LoadedConfiguration(configuration: isValid ? configuration : nil, diagnostics: diagnostics)
    }

    /// The body of `POST /servers`, against the configuration that it is to change.
    package func servers(
        inRequest body: ByteBuffer, current: BridgeConfiguration
    ) throws(ServersRequestError) -> ServersRequest {
        let document: JSONText
        do {
            document = try JSONText(validating: body)
        } catch {
            throw ServersRequestError.notJSON(error, in: Array(body.readableBytesView))
        }
        guard let servers = document.value("mcpServers"), !servers.isNull else { throw ServersRequestError.noServers }
        var reader = ServersReader(context: self.context, settings: current.settings, directory: nil, isLenient: true)
        reader.read(ConfigurationNode(servers, path: "mcpServers"))
        if reader.report.hasErrors { throw ServersRequestError.invalid(reader.report.diagnostics) }
        guard !reader.entries.isEmpty else { throw ServersRequestError.noServers }
        var changed = current
        for entry in reader.entries { changed.put(entry) }
        let clashes = Self.newClashes(in: changed, among: reader.entries)
        guard clashes.isEmpty else { throw ServersRequestError.invalid(clashes) }
        return ServersRequest(
            entries: reader.entries,
            additions: reader.entries.compactMap { entry in
                servers.member(named: entry.name).map { .init(name: entry.name, entry: servers[$0]) }
            },
            warnings: reader.report.diagnostics
        )
    }

    /// The built-in server, so that a newcomer's first command works.
    package var demo: UpstreamEntry {
        var program = UpstreamTarget.Program(command: ConfiguredText(self.context.executablePath))
        program.arguments = [ConfiguredText("demo-server")]
        return UpstreamEntry(name: "demo", target: .stdio(program))
    }
}

extension ConfigurationLoader {
    private static func replaced(_ name: String) -> ConfigurationDiagnostic {
        ConfigurationDiagnostic(
            .warning, file: "environment",
            keyPath: name == "overseer" ? "MCP_BRIDGE_OVERSEER_URL" : "MCP_BRIDGE_SENTINEL_COMMAND",
            message: "replaces the server '\(name)' of the file.", remedy: "Unset the variable to use the file's."
        )
    }

    private func clashes(in configuration: BridgeConfiguration, file: ConfigurationFileReader)
        -> [ConfigurationDiagnostic]
    {
        PrefixCheck.clashes(among: configuration.servers, separator: configuration.settings.separator).map { clash in
            let node = file.places[clash.1]
            return file.diagnostic(
                .error, at: node, keyPath: node?.path ?? clash.1,
                message: Self.clashMessage(clash), remedy: Self.clashRemedy
            )
        }
    }

    private static func newClashes(
        in configuration: BridgeConfiguration, among entries: [UpstreamEntry]
    ) -> [ConfigurationDiagnostic] {
        let names = Set(entries.map(\.name))
        return PrefixCheck.clashes(among: configuration.servers, separator: configuration.settings.separator)
            .filter { names.contains($0.0) || names.contains($0.1) }
            .map { clash in
                ConfigurationDiagnostic(
                    .error, keyPath: ConfigurationNode.join("mcpServers", names.contains(clash.1) ? clash.1 : clash.0),
                    message: Self.clashMessage(clash), remedy: Self.clashRemedy
                )
            }
    }

    private static func clashMessage(_ clash: (String, String)) -> String {
        "the tools of '\(clash.1)' could not be told from those of '\(clash.0)': "
            + "one name begins with the other and the separator."
    }

    private static let clashRemedy = "Rename one of the servers, or set its 'prefix' or 'bridge.separator'."

    private func frontDoor(_ settings: BridgeSettings, file: ConfigurationFileReader) -> [ConfigurationDiagnostic] {
        FrontDoorCheck.findings(in: settings, hasTokens: self.context.hasTokens).map { finding in
            if finding.key == "listen", self.environment.setsListen {
                return ConfigurationDiagnostic(
                    .error, file: "environment",
                    keyPath: self.environment.host == nil ? "MCP_BRIDGE_PORT" : "MCP_BRIDGE_HOST",
                    message: finding.message, remedy: finding.remedy
                )
            }
            return file.diagnostic(
                .error, at: file.settingPlaces[finding.key], keyPath: "bridge.\(finding.key)",
                message: finding.message, remedy: finding.remedy
            )
        }
    }

    private func lay(
        _ overlay: ServersOverlay, over configuration: inout BridgeConfiguration,
        diagnostics: inout [ConfigurationDiagnostic]
    ) {
        for entry in configuration.servers where overlay.removed.contains(entry.name) {
            diagnostics.append(
                ConfigurationDiagnostic(
                    .warning, file: "servers.json", keyPath: ConfigurationNode.join("removed", entry.name),
                    message: "'\(entry.name)' is configured, but was removed over HTTP; it is left out.",
                    remedy: "Add it again over HTTP, or take it out of 'removed' in servers.json and restart."
                )
            )
        }
        configuration.servers.removeAll { overlay.removed.contains($0.name) }
        for addition in overlay.additions {
            var reader = ServersReader(
                context: self.context, settings: configuration.settings, directory: nil, isLenient: true
            )
            let node = ConfigurationNode(addition.entry, path: ConfigurationNode.join("added", addition.name))
            reader.readEntry(addition.name, node, nameOffset: 0)
            var problems = reader.report.diagnostics
            if let entry = reader.entries.first {
                var changed = configuration
                changed.put(entry)
                let clashes = Self.newClashes(in: changed, among: [entry])
                if clashes.isEmpty { configuration = changed }
                problems += clashes
            }
            diagnostics += problems.map { problem in
                var problem = problem
                if problem.severity == .error { problem.message += " The server is left out." }
                problem.severity = .warning
                problem.file = "servers.json"
                return problem
            }
        }
    }
}
