import BridgeCore
package import NIOCore

/// What came of reading a configuration.
package struct LoadedConfiguration: Sendable, Hashable {
    /// `nil` when there is an error that is not one server's own.
    package let configuration: BridgeConfiguration?
    package let diagnostics: [ConfigurationDiagnostic]

    /// Errors in what is written, all of them mended by editing the file. A running service refuses these: whoever wants them
    /// read is there to be told.
    package var mistakes: [ConfigurationDiagnostic] {
        self.errors.filter { if case .needs = $0.reach { false } else { true } }
    }

    package var errors: [ConfigurationDiagnostic] { self.diagnostics.filter { $0.severity == .error } }
    package var warnings: [ConfigurationDiagnostic] { self.diagnostics.filter { $0.severity == .warning } }
}

/// Makes a configuration of a file, the environment, a command's flags and what was changed at run time, each laid over the
/// one before.
///
/// One server's trouble is its own, wherever it comes from: the others are served. Only a file that cannot be read as a
/// whole, and mistakes about the service itself, refuse everything.
package struct ConfigurationLoader: Sendable {
    package let context: LoadingContext
    let environment: EnvironmentSettings
    let chatEnvironment: ChatEnvironment
    let command: CommandSettings

    package init(context: LoadingContext, command: CommandSettings = CommandSettings()) {
        self.context = context
        self.command = command
        self.environment = EnvironmentSettings(context.variables)
        self.chatEnvironment = ChatEnvironment(context.variables)
    }

    /// `source` is `nil` where there is no configuration file; then, unless the environment names servers, the built-in
    /// demo server is the only one.
    package func load(_ source: ConfigurationSource?, overlay: ServersOverlay = ServersOverlay()) -> LoadedConfiguration
    {
        var file = ConfigurationFileReader(context: self.context)
        if let source { file.read(source) }
        var diagnostics = file.report.sorted + self.environment.diagnostics + self.chatEnvironment.diagnostics

        var settings = file.settings
        self.command.applyStandards(to: &settings) { file.settingPlaces[$0] != nil }
        self.environment.apply(to: &settings, home: self.context.homeDirectory)
        self.chatEnvironment.apply(to: &settings.chat)
        self.command.apply(to: &settings)
        var configuration = BridgeConfiguration(settings: settings, servers: file.entries)
        for server in file.troubled { configuration.put(server) }
        for entry in self.environment.servers(timeouts: settings.timeouts) {
            if configuration.names.contains(entry.name) {
                diagnostics.append(Self.replaced(entry.name))
            }
            configuration.put(entry)
        }
        for server in self.environment.troubledServers { configuration.put(server) }
        if source == nil, configuration.names.isEmpty, self.command.servesDemo { configuration.put(self.demo) }
        let settled = Set(overlay.removed + overlay.additions.map(\.name))
        diagnostics += self.clashes(in: &configuration, file: file, settled: settled)
        diagnostics += self.frontDoor(settings, file: file)
        diagnostics += self.unknownSources(settings.chat, file: file)
        self.lay(overlay, over: &configuration, diagnostics: &diagnostics)
        configuration.setStandardDirectory(self.context.standardDirectory)

        let troubles = Set(configuration.troubled.flatMap(\.troubles))
        diagnostics = diagnostics.map { Self.lessened($0, unless: troubles) }
        let isValid = !diagnostics.contains { $0.severity == .error && $0.reach == .service }
        return LoadedConfiguration(configuration: isValid ? configuration : nil, diagnostics: diagnostics)
    }

    /// An error of a server's entry keeps nothing from running where another entry has taken its place.
    private static func lessened(
        _ diagnostic: ConfigurationDiagnostic, unless troubles: Set<ConfigurationDiagnostic>
    ) -> ConfigurationDiagnostic {
        guard diagnostic.severity == .error, diagnostic.reach.server != nil, !troubles.contains(diagnostic) else {
            return diagnostic
        }
        var diagnostic = diagnostic
        diagnostic.severity = .warning
        return diagnostic
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
        changed.setStandardDirectory(self.context.standardDirectory)
        let clashes = Self.newClashes(in: changed, among: reader.entries)
        guard clashes.isEmpty else { throw ServersRequestError.invalid(clashes) }
        return ServersRequest(
            entries: reader.entries.compactMap { changed.server(named: $0.name) },
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
