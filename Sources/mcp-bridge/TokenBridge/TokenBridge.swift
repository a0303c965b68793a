import ArgumentParser
import BridgeConfiguration
import BridgeProcess
import BridgeSupervisor
import Glibc

struct TokenBridge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token-bridge",
        abstract:
            "Lend the model of the MCP client that starts this to programs that speak OpenAI's or Anthropic's HTTP.",
        discussion: """
            An MCP client such as VS Code starts it with pipes, and is asked for completions (MCP sampling). Programs find \
            http://HOST:PORT/v1/chat/completions, /v1/responses, /v1/messages and /v1/models. It ends when its client \
            closes its end. It keeps its own state, 'instances/…' below the state directory of the service, and does \
            not touch the service.

            Beyond loopback it listens only when there is a token ('mcp-bridge token create --state …'; it says which). \
            With --join it is no bridge of its own: its client becomes a source of the running service.

            MCPTB_MAX_TOKENS, MCPTB_HTTP_TIMEOUT and MCPTB_PREF_INTELLIGENCE, _SPEED and _COST are as they were in \
            MCPTokenBridge. Exit status: 0 when the client closes its end, or as asked; 78 the configuration is at \
            fault, 75 another one has the same address, 1 anything else.
            """
    )

    @Option(help: "The address to listen on. Without a token it is loopback, whatever this says.")
    var host = "0.0.0.0"

    @Option(help: "The port to listen on.")
    var port = 8_000

    @Option(help: "A configuration file, for 'bridge.chat' and for servers. Default: none.")
    var config: String?

    @Option(help: "How much is logged on standard error. Default: $MCP_BRIDGE_LOG_LEVEL, else the file, else INFO.")
    var logLevel: Gateway.Level?

    @Option(help: "The name that the client is shown. Default: what the file says, else MCPTokenBridge.")
    var name: String?

    @Flag(help: "Make the client a source of the running service, and serve no HTTP here.")
    var join = false

    @Option(help: "With --join, the service's endpoint. Default: its local Unix socket.")
    var url: String?

    @Option(help: "With --join, a file with a token of the scope 'mcp,source'. Default: $MCP_BRIDGE_TOKEN, else none.")
    var tokenFile: String?

    func validate() throws {
        guard (0...65_535).contains(self.port) else { throw ValidationError("The port must be 0 to 65535.") }
        guard ListenAddress.host(self.host) != nil else {
            throw ValidationError("The host must be an IP address or 'localhost'.")
        }
        guard self.name?.isEmpty != true else { throw ValidationError("The name must not be empty.") }
        guard self.join || self.url == nil && self.tokenFile == nil else {
            throw ValidationError("--url and --token-file say where to go with --join.")
        }
        guard !self.join || self.config == nil && self.name == nil else {
            throw ValidationError("With --join there is no bridge here that would have a --config or a --name.")
        }
    }

    func run() throws {
        guard !self.join else {
            return try StdioCommand(url: self.url, tokenFile: self.tokenFile, isSource: true).run()
        }
        ProcessThread.blockSignals([SIGTERM, SIGINT, SIGHUP])
        CrashSignals.restoreDefaults()
        try ProcessSecrecy.enable()
        throw ExitCode(ServiceHost(start: try self.start()).run())
    }

    private func start() throws -> BridgeStart {
        let address = GuardedAddress(host: ListenAddress.host(self.host) ?? self.host, port: self.port)
        let command = "token-bridge --host \(address.host) --port \(address.port)"
        var start = BridgeStart()
        start.configuration = self.config
        start.own = OwnBridge(configuration: self.config.map(ConfigurationBook.absolute) ?? "", command: command)
        start.words = "mcp-bridge \(command)"
        start.transport = "stdio"
        start.guarded = address
        start.pipes = try ClientPipes.take()
        start.isClientSource = true
        // Nobody is left who could answer: programs that wait are told so, and everything ends within a second.
        start.farewell = StdioSettings.sourceFarewell
        start.settings.drainTimeout = 0.2
        start.settings.servesDemo = false
        start.settings.standardContent = .full
        start.settings.standardChatTimeout = 30
        start.settings.serverName = self.name
        start.settings.standardServerName = "MCPTokenBridge"
        start.settings.standardInstructions = Self.instructions
        start.logs = .init(level: self.logLevel?.rawValue, lines: .tokenBridge)
        return start
    }

    private static let instructions =
        "Call the tool 'hook' once and let it run: for as long as it does, programs of the user may ask this client's model "
        + "over HTTP, without a further question for each request."
}
