import BridgeConfiguration

/// An address that is listened on when it is loopback, or when a token guards it; loopback takes its place else.
struct GuardedAddress: Sendable {
    let host: String
    let port: Int

    struct Decision {
        let listen: ListenAddress
        /// The control socket, for commands that make tokens; nil where its path would be too long.
        let control: String?
        /// What is to be said of it.
        let words: String?
    }

    /// Of a Unix socket.
    private static let longestPath = 107

    /// Looks whether there is a token that is good. What cannot be read counts as none.
    func decide(for places: ServicePlaces) -> Decision {
        let wanted = ListenAddress.tcp(host: self.host, port: self.port)
        let socket = ServicePlaces.ownControl(in: places.state.directory)
        let control = socket.utf8.count <= Self.longestPath ? socket : nil
        if wanted.isLoopback || (try? LocalAccess(places.environment))?.hasGoodToken() == true {
            return Decision(listen: wanted, control: control, words: nil)
        }
        let loopback = ListenAddress.tcp(host: self.host.contains(":") ? "::1" : "127.0.0.1", port: self.port)
        return Decision(
            listen: loopback, control: control,
            words:
                "Nobody can reach \(wanted) before there is a token: listening on \(loopback) instead. Make one, and start "
                + "this again: mcp-bridge token create --name NAME --scope chat --state \(places.state.directory)")
    }
}
