import BridgeProcess
import Glibc

/// Where the Unix sockets for clients lie.
enum ClientPlaces {
    /// The place is there, and is not ours: whoever made it could answer in the service's place.
    struct NotOurs: Error, CustomStringConvertible {
        let problem: OwnFolder.Problem

        var description: String {
            "\(self.problem): somebody else could answer there in the service's place, so it is not used. Remove it, "
                + "or say where the service is: 'status' and 'reload' take --control, 'tools' and 'call' --url"
        }
    }

    /// `$XDG_RUNTIME_DIR/mcp-bridge` for a user, `/run/mcp-bridge` for root; without either a folder of the user's in
    /// `/tmp`.
    static func directory(environment: [String: String]) -> String {
        if let runtime = environment["XDG_RUNTIME_DIR"], !runtime.isEmpty { return runtime + "/mcp-bridge" }
        return geteuid() == 0 ? Self.machines : "/tmp/mcp-bridge-\(geteuid())"
    }

    /// The socket of this name that a command should use: the user's own service if it has one, else the machine's.
    static func socket(_ name: String, environment: [String: String]) -> String {
        let own = "\(Self.directory(environment: environment))/\(name)"
        let machine = "\(Self.machines)/\(name)"
        return access(own, F_OK) != 0 && access(machine, F_OK) == 0 ? machine : own
    }

    /// The same, for a command that is about to trust whoever answers there.
    ///
    /// The machine's is the service's user's, in a folder that only root can have made.
    static func trustedSocket(_ name: String, environment: [String: String]) throws(NotOurs) -> String {
        let path = Self.socket(name, environment: environment)
        if Self.isMachines(path) { return path }
        let folder = String(path.dropLast(name.utf8.count + 1))
        if let problem = OwnFolder.problem(at: folder, user: geteuid()) { throw NotOurs(problem: problem) }
        return path
    }

    /// Whether a socket is the system service's, and not a user's or of a service run by hand.
    static func isMachines(_ path: String) -> Bool { path.hasPrefix(Self.machines + "/") }

    private static let machines = "/run/mcp-bridge"
}
