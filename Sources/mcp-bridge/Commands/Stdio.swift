import ArgumentParser

struct Stdio: ParsableCommand {
    enum Names: String, CaseIterable, ExpressibleByArgument { case dot, safe }

    static let configuration = CommandConfiguration(
        commandName: "stdio", abstract: "Carry MCP between standard input and output and a running bridge.",
        discussion: """
            For clients that only start programs. The session outlives restarts of the bridge. While it is \
            away, lists are answered as it last gave them, out of its file where need be \
            (MCP_BRIDGE_TOOL_CACHE_PATH), and calls with what to do. Says what happens on standard error.
            Exit status: 0 when the client closes its end, or after SIGTERM; 1 when the address is none.
            """
    )

    @Option(
        help:
            "The endpoint, such as http://127.0.0.1:8769/mcp. Default: $MCP_BRIDGE_PROXY_URL, else the service's local Unix socket."
    )
    var url: String?

    @Option(help: "A file with the token to show, which nobody else may read. Default: $MCP_BRIDGE_TOKEN, else none.")
    var tokenFile: String?

    @Option(help: "How names are spelled, 'dot' or 'safe'. Default: as the bridge does it for this client.")
    var names: Names?

    func run() throws {
        try StdioCommand(url: self.url, tokenFile: self.tokenFile, names: self.names).run()
    }
}
