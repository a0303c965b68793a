/// The ids of pages that servers want opened, and the sessions that were told of them: so that a server's word that one is
/// done reaches that session and no other (client/elicitation, "Completion Notifications").
///
/// Two servers may use the same id, so clients are given ids of the bridge's own. Bounded: those that were told of longest
/// ago are forgotten, and with them only that word.
package struct ElicitationBook: Sendable {
    package static let maximum = 1_024
    /// A longer id is left as it is, and not remembered; in bytes.
    package static let maximumLength = 1_024

    private struct Key: Hashable {
        let server: String
        let id: String
    }

    private var told = RecentValues<Key, (session: UInt64, ownID: String)>(capacity: Self.maximum / 2)

    package init() {}

    /// A session is told of a page.
    ///
    /// - Parameter server: the upstream's name in the configuration.
    /// - Returns: the id that its client is given; nil where the server's own is left.
    package mutating func note(_ id: String, of server: String, in session: UInt64) -> String? {
        guard id.utf8.count <= Self.maximumLength else { return nil }
        let key = Key(server: server, id: id)
        if let known = self.told[key], known.session == session { return known.ownID }
        let ownID = RandomID.make()
        self.told[key] = (session, ownID)
        return ownID
    }

    /// A server says that a page is done: who is told, and under which id. Once.
    package mutating func done(_ id: String, of server: String) -> (session: UInt64, ownID: String)? {
        let key = Key(server: server, id: id)
        defer { self.told[key] = nil }
        return self.told[key]
    }
}
