/// The whole of what the operator asked for, checked and expanded.
package struct BridgeConfiguration: Sendable, Hashable {
    package var settings: BridgeSettings
    /// Those that can run, in the order of the configuration, switched-off ones too; no name twice.
    package private(set) var servers: [UpstreamEntry]
    /// Those that cannot, in the order of the configuration; no name is among ``servers`` too.
    package private(set) var troubled: [TroubledServer] = []

    package init(settings: BridgeSettings = BridgeSettings(), servers: [UpstreamEntry] = []) {
        self.settings = settings
        self.servers = servers
    }

    /// Those that are switched on and can run.
    package var upstreams: [UpstreamEntry] { self.servers.filter(\.isEnabled) }

    /// Those that are switched on and cannot run.
    package var failed: [TroubledServer] { self.troubled.filter(\.isEnabled) }

    /// Of all servers, whatever their state.
    package var names: [String] { self.servers.map(\.name) + self.troubled.map(\.name) }

    package func server(named name: String) -> UpstreamEntry? {
        self.servers.first { $0.name == name }
    }

    /// Puts an entry in the place of the one of its name, or at the end.
    package mutating func put(_ entry: UpstreamEntry) {
        self.troubled.removeAll { $0.name == entry.name }
        if let index = self.servers.firstIndex(where: { $0.name == entry.name }) {
            self.servers[index] = entry
        } else {
            self.servers.append(entry)
        }
    }

    /// Puts a server that cannot run in the place of the one of its name.
    mutating func put(_ server: TroubledServer) {
        self.servers.removeAll { $0.name == server.name }
        if let index = self.troubled.firstIndex(where: { $0.name == server.name }) {
            self.troubled[index] = server
        } else {
            self.troubled.append(server)
        }
    }

    package mutating func remove(_ name: String) {
        self.servers.removeAll { $0.name == name }
        self.troubled.removeAll { $0.name == name }
    }

    /// Keeps a server from running, for one more reason.
    mutating func add(_ trouble: ConfigurationDiagnostic, to name: String) {
        if let index = self.troubled.firstIndex(where: { $0.name == name }) {
            self.troubled[index].add(trouble)
        } else if let entry = self.server(named: name) {
            self.put(TroubledServer(entry, trouble))
        }
    }

    /// Says for each program where it runs when its entry does not.
    mutating func setStandardDirectory(_ directory: String) {
        for index in self.servers.indices { self.servers[index].target.standardDirectory = directory }
    }
}
