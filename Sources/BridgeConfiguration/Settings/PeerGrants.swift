/// What processes may do that come through the local Unix socket, by user.
package struct PeerGrants: Sendable, Hashable {
    package var users: [Int: [PeerGrant]]
    /// Everybody not in ``users``; root and the service's own user may do everything regardless.
    package var others: [PeerGrant]

    package init(users: [Int: [PeerGrant]] = [:], others: [PeerGrant] = [.mcp]) {
        self.users = users
        self.others = others
    }
}
