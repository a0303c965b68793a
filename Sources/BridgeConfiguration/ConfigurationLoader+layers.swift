import BridgeCore

/// What is laid over the file, and what can only be seen when all of it is read.
extension ConfigurationLoader {
    static func replaced(_ name: String) -> ConfigurationDiagnostic {
        ConfigurationDiagnostic(
            .warning, file: "environment",
            keyPath: name == "overseer" ? "MCP_BRIDGE_OVERSEER_URL" : "MCP_BRIDGE_SENTINEL_COMMAND",
            message: "replaces the server '\(name)' of the file.", remedy: "Unset the variable to use the file's."
        )
    }

    /// The second of two servers is the one that does not run.
    ///
    /// - Parameter settled: the servers that what was changed over HTTP takes away or replaces.
    func clashes(
        in configuration: inout BridgeConfiguration, file: ConfigurationFileReader, settled: Set<String>
    ) -> [ConfigurationDiagnostic] {
        PrefixCheck.clashes(in: configuration).filter { !settled.contains($0.0) && !settled.contains($0.1) }.map {
            clash in
            let node = file.places[clash.1]
            let diagnostic = file.diagnostic(
                .error, reach: .entry(clash.1), at: node, keyPath: node?.path ?? clash.1,
                message: Self.clashMessage(clash), remedy: Self.clashRemedy
            )
            configuration.add(diagnostic, to: clash.1)
            return diagnostic
        }
    }

    static func newClashes(
        in configuration: BridgeConfiguration, among entries: [UpstreamEntry]
    ) -> [ConfigurationDiagnostic] {
        let names = Set(entries.map(\.name))
        return PrefixCheck.clashes(in: configuration)
            .filter { names.contains($0.0) || names.contains($0.1) }
            .map { clash in
                let name = names.contains(clash.1) ? clash.1 : clash.0
                return ConfigurationDiagnostic(
                    .error, reach: .needs(name), keyPath: ConfigurationNode.join("mcpServers", name),
                    message: Self.clashMessage(clash), remedy: Self.clashRemedy
                )
            }
    }

    private static func clashMessage(_ clash: (String, String)) -> String {
        "the tools of '\(clash.1)' could not be told from those of '\(clash.0)': "
            + "one name begins with the other and the separator."
    }

    private static let clashRemedy = "Rename one of the servers, or set its 'prefix' or 'bridge.separator'."

    func frontDoor(_ settings: BridgeSettings, file: ConfigurationFileReader) -> [ConfigurationDiagnostic] {
        FrontDoorCheck.findings(in: settings).map { finding in
            if finding.key == "listen", self.command.listen != nil {
                return ConfigurationDiagnostic(
                    .error, file: "command line", keyPath: "--host", message: finding.message, remedy: finding.remedy
                )
            }
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

    /// A model of a source that there is not would never be answered.
    func unknownSources(_ chat: ChatSettings, file: ConfigurationFileReader) -> [ConfigurationDiagnostic] {
        let names = chat.sources.map(\.name) + [ChatSourceRule.joined.name]
        return chat.models.flatMap { model in
            model.sources.filter { !names.contains($0) }.map { source in
                file.diagnostic(
                    .error, at: file.settingPlaces["chat.models"],
                    keyPath: ConfigurationNode.join("bridge.chat.models", model.name),
                    message: "there is no source called '\(source)'.",
                    remedy: names.count == 1
                        ? "Name it in 'bridge.chat.sources'."
                        : "'bridge.chat.sources' has \(names.dropLast().map { "'\($0)'" }.joined(separator: ", ")).")
            }
        }
    }

    func lay(
        _ overlay: ServersOverlay, over configuration: inout BridgeConfiguration,
        diagnostics: inout [ConfigurationDiagnostic]
    ) {
        for name in configuration.names where overlay.removed.contains(name) {
            diagnostics.append(
                ConfigurationDiagnostic(
                    .warning, file: "servers.json", keyPath: ConfigurationNode.join("removed", name),
                    message: "'\(name)' is configured, but was removed over HTTP; it is left out.",
                    remedy: "Add it again over HTTP, or take it out of 'removed' in servers.json and restart."
                )
            )
            configuration.remove(name)
        }
        for addition in overlay.additions { self.lay(addition, over: &configuration, diagnostics: &diagnostics) }
    }

    /// Nobody who starts the service or has its file read anew has written these: none of their errors is a mistake of his.
    private func lay(
        _ addition: ServersOverlay.Addition, over configuration: inout BridgeConfiguration,
        diagnostics: inout [ConfigurationDiagnostic]
    ) {
        let path = ConfigurationNode.join("added", addition.name)
        let node = ConfigurationNode(addition.entry, path: path)
        var reader = ServersReader(
            context: self.context, settings: configuration.settings, directory: nil, isLenient: true
        )
        reader.readEntry(addition.name, node, nameOffset: 0)
        let ofFile = { (problem: ConfigurationDiagnostic) in
            var problem = problem
            problem.file = "servers.json"
            if problem.severity == .error { problem.reach = .needs(addition.name) }
            return problem
        }
        diagnostics += reader.report.diagnostics.map(ofFile)
        guard let entry = reader.entries.first else {
            for server in reader.troubled { configuration.put(server.map(ofFile)) }
            return
        }
        var changed = configuration
        changed.put(entry)
        let clashes = Self.newClashes(in: changed, among: [entry]).map { clash in
            var clash = ofFile(clash)
            clash.keyPath = path
            return clash
        }
        configuration = changed
        for clash in clashes { configuration.add(clash, to: addition.name) }
        diagnostics += clashes
    }
}
