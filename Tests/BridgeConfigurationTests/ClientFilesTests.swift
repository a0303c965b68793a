import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Configuration files of MCP clients") struct ClientFilesTests {
    @Test func `a Claude Desktop file is taken as it is`() throws {
        let loaded = Loading.load(
            """
            {
              "mcpServers": {
                "filesystem": {
                  "command": "npx",
                  "args": ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/Documents"]
                },
                "github": {
                  "command": "docker",
                  "args": ["run", "-i", "--rm", "-e", "GITHUB_PERSONAL_ACCESS_TOKEN", "ghcr.io/github/github-mcp-server"],
                  "env": { "GITHUB_PERSONAL_ACCESS_TOKEN": "ghp_literal" }
                }
              },
              "globalShortcut": "Ctrl+Space",
              "preferences": { "menuBarEnabled": false }
            }
            """
        )
        let configuration = try #require(loaded.configuration)
        #expect(configuration.upstreams.map(\.name) == ["filesystem", "github"])
        let program = try #require(Loading.program(loaded, "filesystem"))
        #expect(
            program.arguments.map(\.value) == ["-y", "@modelcontextprotocol/server-filesystem", "/home/ada/Documents"])
        #expect(
            Loading.program(loaded, "github")?.environment["GITHUB_PERSONAL_ACCESS_TOKEN"]?.value == "ghp_literal"
        )
        #expect(
            loaded.brief == [
                "13:3 globalShortcut: ignored: 'globalShortcut' is no setting of mcp-bridge.",
                "14:3 preferences: ignored: 'preferences' is no setting of mcp-bridge.",
            ]
        )
    }

    @Test func `a VS Code file with comments and trailing commas is taken, and its inputs are explained`() {
        let loaded = Loading.load(
            """
            {
              // asked once
              "inputs": [
                { "type": "promptString", "id": "perplexity-key", "password": true },
              ],
              "servers": {
                /* remote */
                "fetch": { "type": "stdio", "command": "uvx", "args": ["mcp-server-fetch"], },
                "perplexity": {
                  "type": "stdio",
                  "command": "npx",
                  "env": { "KEY": "${input:perplexity-key}" },
                  "envFile": "${workspaceFolder}/.env",
                  "dev": { "watch": "src/**" },
                },
              },
            }
            """
        )
        #expect(loaded.fates?.served == ["fetch"] && loaded.fates?.failed == ["perplexity"])
        #expect(
            loaded.brief == [
                "3:3 inputs: ignored: an editor asks a person for these, and a service has nobody to ask.",
                "12:23 servers.perplexity.env.KEY: '${input:perplexity-key}' asks a person, and a service has nobody to ask.",
                "13:18 servers.perplexity.envFile: '${workspaceFolder}' is known only to an editor.",
                "14:7 servers.perplexity.dev: ignored: 'dev' is a setting of another program.",
            ]
        )
        #expect(loaded.errors.allSatisfy { $0.remedy != nil })
    }

    @Test func `a VS Code file without placeholders loads without a word`() {
        let loaded = Loading.load(
            """
            { "servers": { "fetch": { "type": "stdio", "command": "uvx", "args": ["mcp-server-fetch"], }, }, }
            """
        )
        #expect(loaded.configuration?.upstreams.map(\.name) == ["fetch"])
        #expect(loaded.diagnostics.isEmpty)
    }

    @Test func `a Cursor file with variables, an environment file and a remote server is taken`() throws {
        let loaded = Loading.load(
            """
            {
              "mcpServers": {
                "local": {
                  "command": "python3",
                  "args": ["${userHome}${/}server.py"],
                  "env": { "API_KEY": "${env:GITHUB_TOKEN}", "SHARED": "entry" },
                  "envFile": ".env"
                },
                "remote": {
                  "url": "https://api.example.com/mcp",
                  "headers": { "Authorization": "Bearer ${env:GITHUB_TOKEN}" },
                  "auth": { "CLIENT_ID": "x" }
                }
              }
            }
            """
        )
        let program = try #require(Loading.program(loaded, "local"))
        #expect(program.arguments.map(\.value) == ["/home/ada/server.py"])
        #expect(
            program.environment.mapValues(\.value)
                == ["API_KEY": "ghp_secret", "SHARED": "entry", "FROM_FILE": "file-secret"]
        )
        let remote = try #require(loaded.configuration?.server(named: "remote"))
        guard case .remote(let endpoint) = remote.target else {
            Issue.record("not a remote server")
            return
        }
        #expect(endpoint.dialect == .probe)
        #expect(endpoint.headers["Authorization"]?.value == "Bearer ghp_secret")
        #expect(
            loaded.brief == [
                "12:7 mcpServers.remote.auth: ignored: 'auth' is a setting of another program."
            ]
        )
    }

    @Test func `a key of another program that many servers carry is mentioned once`() {
        let loaded = Loading.load(
            """
            {"mcpServers": {
              "a": {"command": "x", "autoApprove": []}, "b": {"command": "y", "autoApprove": []}
            }}
            """
        )
        #expect(loaded.configuration != nil)
        #expect(loaded.warnings.map(\.keyPath) == ["mcpServers.a.autoApprove"])
    }

    @Test func `without any configuration the bridge serves its own demo server`() throws {
        let loaded = ConfigurationLoader(context: Loading.context).load(nil)
        #expect(loaded.diagnostics.isEmpty)
        #expect(loaded.configuration?.upstreams.map(\.name) == ["demo"])
        let program = try #require(Loading.program(loaded))
        #expect(program.command.value == "/usr/bin/mcp-bridge")
        #expect(program.arguments.map(\.value) == ["demo-server"])
    }

    @Test func `a file without servers is valid and says so`() {
        let loaded = Loading.load(#"{"bridge": {"names": "safe"}}"#)
        #expect(loaded.configuration?.servers.isEmpty == true)
        #expect(loaded.warnings.map(\.message) == ["no servers are configured."])
    }
}
