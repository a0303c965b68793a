import BridgeConfiguration
import BridgeSupervisor
import Glibc

/// What a command wants of the bridge that it runs.
struct BridgeStart: Sendable {
    /// The configuration file that was asked for.
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
    var logs = Logs()

    struct Logs: Sendable {
        /// Wins over `MCP_BRIDGE_LOG_LEVEL` and the file.
        var level: String?
        /// Whether lines are as the gateway before this one wrote them.
        var areGatewayLines = false
    }

    /// Whether loopback alone may change what is served.
    var isOpenOnLoopback: Bool { self.own != nil && self.pipes == nil }

    /// A bridge of its own is there for one file: without it nothing is made.
    func demandConfiguration(_ environment: [String: String]) throws {
        guard self.own != nil else { return }
        let candidates = ConfigurationLocations.candidates(
            flag: self.configuration, environment: environment, isSystemService: false)
        for file in candidates where access(file.path, F_OK) != 0 && errno == ENOENT {
            throw ConfigurationBook.Refused(description: file.notFound)
        }
    }

    /// Tells this process, and its workers, how to log.
    func apply(to environment: inout [String: String]) {
        if let level = self.logs.level { environment["MCP_BRIDGE_LOG_LEVEL"] = level }
        if self.logs.areGatewayLines { environment["MCP_BRIDGE_LOG_LINES"] = "gateway" }
    }
}
