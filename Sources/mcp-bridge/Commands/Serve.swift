import ArgumentParser
import BridgeProcess
import Glibc

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the bridge in the foreground; systemd starts it with this command.",
        discussion: """
            Takes its sockets from systemd where it is started by it, else binds them itself: \
            127.0.0.1:8769 (MCP_BRIDGE_HOST, MCP_BRIDGE_PORT or bridge.listen say otherwise) and two Unix sockets below \
            $XDG_RUNTIME_DIR/mcp-bridge. Without a configuration it serves the demo server.

            SIGTERM and SIGINT finish the calls in flight and stop; SIGHUP reads the configuration anew.
            Exit status: 0 stopped as asked, 78 the configuration is at fault, \
            75 another bridge uses the state directory, 1 anything else.
            """
    )

    @Option(help: "The configuration file. Default: $MCP_BRIDGE_CONFIG, else the file named in 'mcp-bridge --help'.")
    var config: String?

    func run() throws {
        // Before any other thread is there to receive them.
        ProcessThread.blockSignals([SIGTERM, SIGINT, SIGHUP])
        CrashSignals.restoreDefaults()
        // Before anything secret is read.
        try ProcessSecrecy.enable()
        throw ExitCode(ServiceHost(start: BridgeStart(configuration: self.config)).run())
    }
}
