/// Reads a configuration file: the servers, wherever the program that wrote it keeps them, and `bridge`.
struct ConfigurationFileReader {
    let context: LoadingContext
    private(set) var settings = BridgeSettings()
    /// Those that can run, and those that cannot.
    private(set) var entries: [UpstreamEntry] = []
    private(set) var troubled: [TroubledServer] = []
    private(set) var report = ConfigurationReport(file: nil, bytes: [])
    /// Where servers stand, by name.
    private(set) var places: [String: ConfigurationNode] = [:]
    /// Where settings stand, by key.
    private(set) var settingPlaces: [String: ConfigurationNode] = [:]
    private var source: ConfigurationSource?

    init(context: LoadingContext) {
        self.context = context
    }

    private static let keys = ["mcpServers", "servers", "bridge"]
    /// Other keys are other programs', and may well be there twice.
    private static let counted = ServerLists.keys.union(Self.keys)

    mutating func read(_ source: ConfigurationSource) {
        self.source = source
        self.report = ConfigurationReport(file: source.name, bytes: source.bytes)
        guard let node = ConfigurationNode(reading: source.bytes, report: &self.report),
            var object = ObjectReader(node, once: Self.counted, report: &self.report)
        else { return }
        if let bridge = object.take("bridge") {
            var reader = SettingsReader(context: self.context)
            reader.read(bridge, report: &self.report)
            self.settings = reader.settings
            self.settingPlaces = reader.places
        }
        let servers = ServerLists(in: &object)
        // Of an editor's settings only its servers are anybody's business here.
        self.report.isSilentAboutIgnored = servers.isSettings
        self.readServers(servers, directory: source.directory)
        if servers.isEmpty {
            self.report.warning(node, "no servers are configured.", remedy: Self.remedy(for: object))
        }
        self.ignoreRest(of: object)
    }

    /// Some programs write the servers without anything around them.
    private static func remedy(for object: ObjectReader) -> String {
        let looksLikeServers = object.rest.contains { member in
            member.value.members.contains { $0.key == "command" || ServerKeyTable.addresses.contains($0.key) }
        }
        return looksLikeServers
            ? "What looks like servers here has to stand under 'mcpServers'."
            : "Add them under 'mcpServers', as your MCP client's file does."
    }

    private mutating func readServers(_ servers: ServerLists, directory: String) {
        var reader = ServersReader(
            context: self.context, settings: self.settings, directory: directory, isLenient: false, report: self.report
        )
        for node in servers.lists { reader.read(node) }
        for project in servers.projects {
            reader.read(project.servers, ofProject: project.folder, leavingOut: project.switchedOff)
        }
        self.report = reader.report
        self.entries = reader.entries
        self.troubled = reader.troubled
        self.places = reader.places
    }

    /// Client programs keep all sorts of things in the same file.
    private mutating func ignoreRest(of object: ObjectReader) {
        for member in object.rest where member.key != "$schema" {
            if member.key == "inputs" {
                self.report.ignored(
                    member.key, at: member.keyOffset, member.value.path,
                    "ignored: an editor asks a person for these, and a service has nobody to ask.",
                    remedy: "Put the values into credentials and write '${credential:NAME}'."
                )
                continue
            }
            let nearest = Self.keys.first { EditDistance.between($0, member.key) <= 2 }
            self.report.ignored(
                member.key, at: member.keyOffset, member.value.path,
                "ignored: '\(member.key)' is no setting of mcp-bridge.",
                remedy: nearest.map { "Is it meant to be '\($0)'?" }
            )
        }
    }

    /// A diagnostic about something found after reading, placed where it was read.
    func diagnostic(
        _ severity: ConfigurationDiagnostic.Severity, reach: ConfigurationDiagnostic.Reach = .service,
        at node: ConfigurationNode?, keyPath: String, message: String, remedy: String?
    ) -> ConfigurationDiagnostic {
        ConfigurationDiagnostic(
            severity, reach: reach, file: self.source?.name,
            position: node.flatMap { node in self.source.map { SourcePosition(of: node.offset, in: $0.bytes) } },
            keyPath: keyPath, message: message, remedy: remedy
        )
    }
}
