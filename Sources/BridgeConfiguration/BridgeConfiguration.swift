/// The whole of what the operator asked for, checked and expanded.
package struct BridgeConfiguration: Sendable, Hashable {
    package var settings: BridgeSettings
    /// In the order of the configuration, switched-off ones too; no name twice.
    package var servers: [UpstreamEntry]

    package init(settings: BridgeSettings = BridgeSettings(), servers: [UpstreamEntry] = []) {
        self.settings = settings
        self.servers = servers
    }

    /// Those that are switched on.
    package var upstreams: [UpstreamEntry] { self.servers.filter(\.isEnabled) }

    package func server(named name: String) -> UpstreamEntry? {
        self.servers.first { $0.name == name }
    }

    /// Puts an entry in the place of the one of its name, or at the end.
    package mutating func put(_ entry: UpstreamEntry) {
        if let index = self.servers.firstIndex(where: { $0.name == entry.name }) {
            self.servers[index] = entry
        } else {
            self.servers.append(entry)
        }
    }
}
