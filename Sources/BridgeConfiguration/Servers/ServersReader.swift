import BridgeCore

/// Reads objects of server entries.
struct ServersReader {
    private struct Entry {
        let name: String
        let node: ConfigurationNode
        /// `nil` where it could not be read.
        let value: UpstreamEntry?
        let isEnabled: Bool
    }

    private var read: [Entry] = []
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

    /// Those that can run.
    var entries: [UpstreamEntry] {
        let troubles = self.report.troubles
        return self.read.compactMap { troubles[$0.name] == nil ? $0.value : nil }
    }

    /// Those that cannot.
    var troubled: [TroubledServer] {
        let allTroubles = self.report.troubles
        return self.read.compactMap { entry in
            guard let troubles = allTroubles[entry.name] else { return nil }
            return TroubledServer(
                name: ServerName.shown(entry.name), kind: Self.kind(entry), isEnabled: entry.isEnabled,
                prefix: entry.value?.prefix ?? Self.member("prefix", of: entry.node)?.text.string, troubles: troubles
            )
        }
    }

    mutating func read(_ node: ConfigurationNode) {
        guard let object = ObjectReader(node, holdsServers: true, report: &self.reader.report) else { return }
        for member in object.members {
            if self.places[member.key] != nil {
                self.reader.report.add(
                    .error, at: member.keyOffset, member.value.path, "a server of this name is configured already.",
                    remedy: "Rename or remove one of the two.", reach: .entry(member.key)
                )
            } else {
                self.readEntry(member.key, member.value, nameOffset: member.keyOffset)
            }
        }
    }

    /// The servers that belong to one folder of the user's, and run there. A name that is taken stays the earlier one's:
    /// two projects may well have servers of the same name.
    ///
    /// - Parameter leavingOut: the names of those that are switched off.
    mutating func read(_ node: ConfigurationNode, ofProject folder: String, leavingOut: Set<String>) {
        guard node.kind == .object else {
            return self.reader.report.warning(node, "this project's servers are left out: they are no object.")
        }
        // What is written twice here is no concern of a server that somebody else has by that name.
        let own = Set(node.members.map(\.key)).subtracting(self.places.keys).subtracting(leavingOut)
        guard let object = ObjectReader(node, once: own, holdsServers: true, report: &self.reader.report) else {
            return
        }
        for member in object.members where !leavingOut.contains(member.key) {
            if self.places[member.key] != nil {
                self.reader.report.add(
                    .warning, at: member.keyOffset, member.value.path,
                    "this project's server is left out: a server of this name is configured already.",
                    remedy: "Rename one of the two, and both are served."
                )
            } else {
                self.readEntry(member.key, member.value, nameOffset: member.keyOffset, folder: folder)
            }
        }
    }

    mutating func readEntry(_ name: String, _ node: ConfigurationNode, nameOffset: Int, folder: String? = nil) {
        self.places[name] = node
        self.reader.report.server = name
        defer { self.reader.report.server = nil }
        if let complaint = ServerName.complaint(about: name) {
            self.reader.report.add(.error, at: nameOffset, node.path, complaint, remedy: "Give it another name.")
        }
        let value = self.reader.entry(name, node, folder: folder)
        self.read.append(Entry(name: name, node: node, value: value, isEnabled: self.reader.isEnabled))
    }

    private static func kind(_ entry: Entry) -> String {
        if let value = entry.value { return value.target.kind }
        if Self.member("command", of: entry.node) != nil { return "stdio" }
        return ServerKeyTable.addresses.contains { Self.member($0, of: entry.node) != nil } ? "http" : "unknown"
    }

    private static func member(_ key: String, of node: ConfigurationNode) -> ConfigurationNode? {
        node.members.first { $0.key == key }?.value
    }
}
