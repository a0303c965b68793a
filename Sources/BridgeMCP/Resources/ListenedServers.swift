/// The servers whose news somebody listens to, by the sessions that do.
package struct ListenedServers: Sendable {
    private var bySession: [UInt64: Set<String>] = [:]
    private var counts: [String: Int] = [:]

    package init() {}

    /// A session listens to these servers from now on, and to no others.
    ///
    /// - Returns: the servers for which that makes a difference: it was the first one to listen, or the last.
    package mutating func set(_ servers: Set<String>, by session: UInt64) -> Set<String> {
        let before = self.bySession[session] ?? []
        self.bySession[session] = servers.isEmpty ? nil : servers
        var changed: Set<String> = []
        for server in servers.subtracting(before) {
            self.counts[server, default: 0] += 1
            if self.counts[server] == 1 { changed.insert(server) }
        }
        for server in before.subtracting(servers) {
            let left = (self.counts[server] ?? 0) - 1
            self.counts[server] = left > 0 ? left : nil
            if left <= 0 { changed.insert(server) }
        }
        return changed
    }

    package func isListened(to server: String) -> Bool { self.counts[server] != nil }
}
