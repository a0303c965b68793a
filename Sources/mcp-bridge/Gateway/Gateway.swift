import ArgumentParser
import BridgeConfiguration
import BridgeFiles
import BridgeProcess
import BridgeSupervisor
import Glibc

struct Gateway: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gateway",
        abstract: "Run a bridge of its own for one configuration file: the command of mcp-proxy.",
        discussion: """
            The bridge lives as long as the command. It keeps its own state, \
            'instances/…' below the state directory of the service, and does not touch the service.

            Over stdio it is the program of one client, and ends with it. Over sse and streamable-http clients find it at \
            http://HOST:PORT/sse and http://HOST:PORT/mcp (both are served, whichever is asked for), and any program of \
            this machine may change its servers: POST and DELETE /servers. What they change is kept for the next start.

            SIGTERM and SIGINT stop it; SIGHUP reads the configuration anew.
            Exit status: 0 stopped as asked, 78 the configuration is at fault, 75 another bridge uses its state, \
            1 anything else.
            """
    )

    enum Transport: String, CaseIterable, ExpressibleByArgument {
        case stdio, sse
        case streamableHTTP = "streamable-http"
    }

    enum Level: String, CaseIterable, ExpressibleByArgument {
        case debug = "DEBUG"
        case info = "INFO"
        case warning = "WARNING"
        case error = "ERROR"
        case critical = "CRITICAL"

        init?(argument: String) { self.init(rawValue: argument.uppercased()) }
    }

    @Option(help: "The configuration file.")
    var config = "./examples/config/servers.json"

    @Option(help: "How clients reach it.")
    var transport = Transport.stdio

    @Option(help: "The address to listen on, with sse and streamable-http.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on, with sse and streamable-http.")
    var port = 8_080

    @Option(help: "How much is logged on standard error. Default: $MCP_BRIDGE_LOG_LEVEL, else the file, else INFO.")
    var logLevel: Level?

    @Option(help: "The name that clients are shown. Default: what the file says, else mcp-gateway.")
    var name: String?

    @Option(help: "A Unix socket to make, for 'status --control' and 'reload --control'. Default: none.")
    var control: String?

    func validate() throws {
        guard (0...65_535).contains(self.port) else { throw ValidationError("The port must be 0 to 65535.") }
        guard ListenAddress.host(self.host) != nil else {
            throw ValidationError("The host must be an IP address or 'localhost'.")
        }
        guard self.name?.isEmpty != true else { throw ValidationError("The name must not be empty.") }
    }

    func run() throws {
        ProcessThread.blockSignals([SIGTERM, SIGINT, SIGHUP])
        CrashSignals.restoreDefaults()
        try ProcessSecrecy.enable()
        throw ExitCode(ServiceHost(start: try self.start()).run())
    }

    private func start() throws -> BridgeStart {
        var start = BridgeStart()
        start.configuration = self.config
        start.transport = self.transport.rawValue
        start.settings.serverName = self.name
        start.settings.standardServerName = "mcp-gateway"
        start.control = self.control
        start.logs = .init(level: self.logLevel?.rawValue, lines: .gateway)
        var command = "gateway \(self.transport.rawValue)"
        switch self.transport {
        case .stdio:
            // Clients start as many of one entry as they have windows.
            start.copies = 64
            start.pipes = try ClientPipes.take()
            // For its client alone.
            start.settings.listen = []
        case .sse, .streamableHTTP:
            let address = ListenAddress.tcp(host: ListenAddress.host(self.host) ?? self.host, port: self.port)
            start.settings.listen = [address]
            command += " \(address)"
        }
        start.own = OwnBridge(configuration: ConfigurationBook.absolute(self.config), command: command)
        start.words = "mcp-bridge \(command) --config \(self.config)"
        return start
    }
}
