/// Reads an object of server entries.
struct ServersReader {
    private(set) var entries: [UpstreamEntry] = []
    /// Where each entry stands.
    private(set) var places: [String: ConfigurationNode] = [:]
    private var reader: ServerEntryReader

    /// `directory` is the configuration file's folder, and `nil` where there is no file.
    init(
        context: LoadingContext, settings: BridgeSettings, directory: String?, isLenient: Bool,
        report: ConfigurationReport = ConfigurationReport(file: nil, bytes: [])
    ) {
        self.reader = ServerEntryReader(
            context: context, settings: settings, directory: directory, isLenient: isLenient, report: report
        )
    }

    var report: ConfigurationReport { self.reader.report }

    mutating func read(_ node: ConfigurationNode) {
        guard let object = ObjectReader(node, report: &self.reader.report) else { return }
        for member in object.members {
            if self.places[member.key] != nil {
                self.reader.report.add(
                    .error, at: member.keyOffset, member.value.path, "a server of this name is configured already.",
                    remedy: "Rename or remove one of the two."
                )
            } else {
                self.readEntry(member.key, member.value, nameOffset: member.keyOffset)
            }
        }
    }

    mutating func readEntry(_ name: String, _ node: ConfigurationNode, nameOffset: Int) {
        self.places[name] = node
        if let complaint = ServerName.complaint(about: name) {
            self.reader.report.add(.error, at: nameOffset, node.path, complaint, remedy: "Give it another name.")
        } else if let entry = self.reader.entry(name, node) {
            self.entries.append(entry)
        }
    }
}
