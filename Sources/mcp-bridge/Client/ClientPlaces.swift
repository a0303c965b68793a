import Glibc

/// Where the Unix sockets for clients lie.
enum ClientPlaces {
    /// `$XDG_RUNTIME_DIR/mcp-bridge` for a user, `/run/mcp-bridge` for root; without either a folder of the user's in
    /// `/tmp`.
    static func directory(environment: [String: String]) -> String {
        if let runtime = environment["XDG_RUNTIME_DIR"], !runtime.isEmpty { return runtime + "/mcp-bridge" }
        return geteuid() == 0 ? "/run/mcp-bridge" : "/tmp/mcp-bridge-\(geteuid())"
    }

    /// The socket of this name that a command should use: the user's own service if it has one, else the machine's.
    static func socket(_ name: String, environment: [String: String]) -> String {
        let own = Self.directory(environment: environment) + "/" + name
        let machine = Self.machines + name
        return access(own, F_OK) != 0 && access(machine, F_OK) == 0 ? machine : own
    }

    /// Whether a socket is the system service's, and not a user's or of a service run by hand.
    static func isMachines(_ path: String) -> Bool { path.hasPrefix(Self.machines) }

    private static let machines = "/run/mcp-bridge/"
}
