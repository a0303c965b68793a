import BridgeConfiguration
import BridgeSupervisor
import Glibc

/// What a command wants of the bridge that it runs.
struct BridgeStart: Sendable {
    /// The configuration file that was asked for. A bridge of its own reads no other.
    var configuration: String?
    /// Set for a bridge that is not the service: it has its own state, and no other sockets than it is told.
    var own: OwnBridge?
    /// How many of the same may run at once, each with a state folder.
    var copies = 1
    /// What the process is, for whoever finds its state folder in use.
    var words = "mcp-bridge serve"
    var settings = CommandSettings()
    /// How clients reach it, for `/health`.
    var transport = "streamable-http"
    /// Where status and reload are asked for.
    var control: String?
    /// The client whose program it is.
    var pipes: ClientPipes?
    /// Whether the command itself says that this client is a source of completions.
    var isClientSource = false
    /// How long that client's requests are still waited for when it has closed its end.
    var farewell = StdioSettings.standardFarewell
    /// Where it listens when a token guards that, with a control socket to make one by.
    var guarded: GuardedAddress?
    var logs = Logs()

    enum Lines: String, Sendable {
        case gateway
        case tokenBridge = "token-bridge"
    }

    struct Logs: Sendable {
        /// Wins over `MCP_BRIDGE_LOG_LEVEL` and the file.
        var level: String?
        /// Whose lines they are, where they are to be as an older program wrote them.
        var lines: Lines?
    }

    /// Whether loopback alone may change what is served.
    var isOpenOnLoopback: Bool { self.own != nil && self.pipes == nil }

    /// Where its configuration may be.
    func candidates(_ environment: [String: String], isSystemService: Bool) -> [ConfigurationLocations.Candidate] {
        guard self.own == nil || self.configuration != nil else { return [] }
        return ConfigurationLocations.candidates(
            flag: self.configuration, environment: environment, isSystemService: isSystemService)
    }

    /// A bridge of its own that was given a file is there for that file: without it nothing is made.
    func demandConfiguration(_ environment: [String: String]) throws {
        guard self.own != nil else { return }
        for file in self.candidates(environment, isSystemService: false)
        where access(file.path, F_OK) != 0 && errno == ENOENT {
            throw ConfigurationBook.Refused(description: file.notFound)
        }
    }

    /// Tells this process, and its workers, how to log.
    func apply(to environment: inout [String: String]) {
        if let level = self.logs.level { environment["MCP_BRIDGE_LOG_LEVEL"] = level }
        if let lines = self.logs.lines { environment["MCP_BRIDGE_LOG_LINES"] = lines.rawValue }
    }
}
