/// URIs that results have named (`resource_link`, embedded resources), and the upstreams they came from: a client may ask
/// for what no list has.
///
/// Bounded. Of one session the URIs that were used longest ago go first; of all, the session that was given none for the
/// longest time.
package struct HandedOutURIs: Sendable {
    /// Of all sessions.
    package static let maximum = 10_000
    package static let maximumOfSession = 1_000
    /// A longer URI is not remembered, in bytes.
    package static let maximumLength = 8_192

    private struct Session {
        var servers: RecentValues<String, String>
        var lastNoted: UInt64
    }

    private var sessions: [UInt64: Session] = [:]
    private var clock: UInt64 = 0
    private let maximum: Int
    private let maximumOfSession: Int
    package private(set) var count = 0

    package init(maximum: Int = Self.maximum, maximumOfSession: Int = Self.maximumOfSession) {
        self.maximum = maximum
        self.maximumOfSession = maximumOfSession
    }

    /// - Parameter server: the upstream's name in the configuration.
    package mutating func note(_ uri: String, in session: UInt64, by server: String) {
        guard uri.utf8.count <= Self.maximumLength else { return }
        self.clock += 1
        var entry =
            self.sessions.removeValue(forKey: session)
            ?? Session(servers: RecentValues(capacity: max(1, self.maximumOfSession / 2)), lastNoted: 0)
        self.count -= entry.servers.count
        entry.servers[uri] = server
        entry.lastNoted = self.clock
        self.count += entry.servers.count
        self.sessions[session] = entry
        while self.count > self.maximum, self.sessions.count > 1,
            let oldest = self.sessions.min(by: { $0.value.lastNoted < $1.value.lastNoted })
        {
            self.forget(session: oldest.key)
        }
    }

    package mutating func server(of uri: String, in session: UInt64) -> String? {
        self.sessions[session]?.servers[uri]
    }

    /// A session is over.
    package mutating func forget(session: UInt64) {
        guard let entry = self.sessions.removeValue(forKey: session) else { return }
        self.count -= entry.servers.count
    }
}
