import ArgumentParser

@main
struct MCPBridge: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp-bridge",
        abstract: "Many MCP servers behind one endpoint, native to systemd.",
        discussion: """
            To begin: 'mcp-bridge serve' serves the built-in demo server on http://127.0.0.1:8769/mcp.
            In another terminal, 'mcp-bridge tools' lists what is served and
            'mcp-bridge call demo.echo '{"text":"hello"}'' calls it.

            Your own servers go into ~/.config/mcp-bridge/config.json (system service: /etc/mcp-bridge/config.json), \
            in the form that Claude Desktop, VS Code and Cursor write; 'mcp-bridge config check' says what is wrong with it.
            """,
        version: BridgeVersion.text,
        subcommands: [
            Serve.self, Status.self, Tools.self, CallTool.self, Prompts.self, Prompt.self, Resources.self, Read.self,
            Stdio.self, Gateway.self, TokenBridge.self, Auth.self, TokenCommand.self, Audit.self, Reload.self,
            Config.self, DemoServerCommand.self, Version.self, Worker.self,
        ]
    )

    static func main() {
        let arguments = InvokedName.arguments(CommandLine.arguments)
        // Whoever serves waits for workers: for one of them the other commands are not put together first.
        if arguments.first == Worker._commandName { return Worker.main(Array(arguments.dropFirst())) }
        Self.main(arguments)
    }
}

/// The version of everything that is built from this package.
enum BridgeVersion {
    static let text = "0.1.0"
}
