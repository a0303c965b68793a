import Testing

@testable import BridgeConfiguration
@testable import BridgeCore
@testable import BridgeMCP

@Suite("Server entries") struct ServerEntryTests {
    private func load(_ entry: String) -> LoadedConfiguration {
        Loading.load("{\"mcpServers\": {\"s\": \(entry)}}")
    }

    @Test(arguments: [
        ("{}", "Server config must define either 'command' or 'url'."),
        (#"{"type": "stdio", "url": "https://x"}"#, "stdio transport requires 'command'."),
        (#"{"transport": "sse"}"#, "sse transport requires 'url'."),
        (#"{"transport": "streamable-http"}"#, "streamable-http transport requires 'url'."),
        (#"{"type": "http", "command": "x"}"#, "streamable-http transport requires 'url'."),
        (#"{"type": "websocket", "url": "x"}"#, "must be one of 'stdio', 'http', 'streamable-http', 'sse'."),
        (#"{"type": "sse", "transport": "stdio", "url": "x"}"#, "contradicts 'type'."),
        (#"{"disabled": true, "enabled": true, "command": "x"}"#, "contradicts 'enabled'."),
    ])
    func `an entry that cannot be reached says what it lacks`(entry: String, message: String) {
        let loaded = self.load(entry)
        #expect(loaded.fates?.served == [] && loaded.fates?.failed == ["s"])
        #expect(loaded.errors.map(\.message) == [message])
    }

    @Test(arguments: [
        (#"{"url": "https://x/mcp"}"#, RemoteTarget.Dialect.probe),
        (#"{"url": "https://x/mcp", "type": "http"}"#, .streamableHTTP),
        (#"{"url": "https://x/mcp", "transport": "streamableHttp"}"#, .streamableHTTP),
        (#"{"url": "https://x/sse", "transport": {"type": "sse"}}"#, .sse),
        (#"{"url": "https://x/mcp", "type": "remote"}"#, .probe),
        (#"{"url": "https://x/sse", "type": "remote", "transport": "sse"}"#, .sse),
        (#"{"serverUrl": "https://x/mcp"}"#, .probe),
        (#"{"serverUrl": "https://x/sse", "type": "sse"}"#, .sse),
        (#"{"httpUrl": "https://x/mcp"}"#, .streamableHTTP),
        (#"{"httpUrl": "https://x/mcp", "type": "remote"}"#, .probe),
        (#"{"url": "https://x/mcp", "serverUrl": "https://x/mcp", "tools": ["*"]}"#, .probe),
    ])
    func `a URL is probed unless its dialect is told`(entry: String, dialect: RemoteTarget.Dialect) {
        guard case .remote(let endpoint)? = self.load(entry).configuration?.servers.first?.target else {
            Issue.record("not a remote server")
            return
        }
        #expect(endpoint.dialect == dialect)
    }

    @Test(arguments: ["uri", "endpoint", "baseUrl"])
    func `a key that is nobody's for the URL is named in the remedy`(key: String) {
        let loaded = self.load("{\"\(key)\": \"https://x/mcp\"}")
        #expect(loaded.errors.first?.remedy == "Write 'url' in place of '\(key)'.")
    }

    @Test func `two addresses that differ contradict each other`() {
        let loaded = self.load(#"{"url": "https://x/sse", "httpUrl": "https://x/mcp"}"#)
        #expect(loaded.errors.map { "\($0.keyPath) \($0.message)" } == ["mcpServers.s.httpUrl contradicts 'url'."])
    }

    @Test(arguments: ["local", "Local", "stdio"])
    func `a program that another client calls local is a program`(type: String) {
        let loaded = self.load(#"{"type": "\#(type)", "command": "x", "args": ["-y"], "tools": ["*"]}"#)
        #expect(loaded.diagnostics.isEmpty)
        #expect(Loading.program(loaded)?.arguments.map(\.value) == ["-y"])
        #expect(loaded.configuration?.servers.first?.tools.shownName(of: "anything") == "anything")
    }

    @Test func `paths are looked for beside the file, and flags, words, packages and URLs stay`() throws {
        let loaded = self.load(
            """
            {"command": "./bin/python", "cwd": "./workspace", "args": ["./tools/echo_server.py", "--name", "echo",
             "tools/echo_server.py", "tools/other.py", "@scope/pkg", "https://x/y", "~/notes", "/abs", "../up", "--x=./y"]}
            """
        )
        let program = try #require(Loading.program(loaded))
        #expect(program.command.value == "/etc/app/bin/python")
        #expect(program.workingDirectory?.value == "/etc/app/workspace")
        #expect(
            program.arguments.map(\.value) == [
                "/etc/app/tools/echo_server.py", "--name", "echo", "/etc/app/tools/echo_server.py", "tools/other.py",
                "@scope/pkg", "https://x/y", "/home/ada/notes", "/abs", "../up", "--x=./y",
            ]
        )
    }

    @Test func `everything an entry can say of its own is read`() throws {
        let loaded = self.load(
            """
            {"command": "x", "prefix": "", "start": "lazy", "idleStop": "5m", "retry": "annotated",
             "tools": {"allow": ["a*"], "deny": ["ab"], "rename": {"ac": "z"}}, "prompts": ["p"],
             "timeouts": {"call": 2, "tools": {"slow": "1h"}}, "encoding_error_handler": "replace",
             "limits": {"memory": "512M", "cpu": "150%", "tasks": 64},
             "roots": ["./my src", {"uri": "file:///x", "name": "X"}]}
            """
        )
        let entry = try #require(loaded.configuration?.servers.first)
        #expect(loaded.diagnostics.isEmpty)
        #expect(entry.prefix == "" && entry.start == .lazy && entry.idleStop == 300 && entry.retry == .annotated)
        #expect(entry.tools == NameFilter(allow: ["a*"], deny: ["ab"], rename: ["ac": "z"]))
        #expect(entry.prompts == NameFilter(allow: ["p"]))
        #expect(entry.timeouts == UpstreamTimeouts(call: 2, tools: ["slow": 3_600]))
        #expect(entry.limits == ResourceLimits(memoryBytes: 512 << 20, cpuPercent: 150, tasks: 64))
        #expect(entry.roots == [Root(uri: "file:///etc/app/my%20src"), Root(uri: "file:///x", name: "X")])
        #expect(Loading.program(loaded)?.encodingErrors == .replace)
    }

    @Test func `a timeout is in seconds unless it can only be milliseconds`() {
        #expect(self.load(#"{"command": "x", "timeout": 90}"#).configuration?.servers.first?.timeouts.call == 90)
        let milliseconds = self.load(#"{"command": "x", "timeout": 60000}"#)
        #expect(milliseconds.configuration?.servers.first?.timeouts.call == 60)
        #expect(milliseconds.warnings.map(\.keyPath) == ["mcpServers.s.timeout"])
    }

    @Test func `a program's oauth is ignored, and that is said`() {
        let loaded = self.load(
            #"{"command": "x", "oauth": {}, "share": "session", "lanes": 2, "asks": true}"#
        )
        let server = loaded.configuration?.servers.first
        #expect(server?.share == .session && server?.lanes == 2 && server?.asks == true)
        #expect(loaded.warnings.map(\.keyPath) == ["mcpServers.s.oauth"])
        #expect(loaded.warnings.map(\.message) == ["is ignored: this server is started as a program."])
        #expect(self.load(#"{"command": "x", "share": "all"}"#).diagnostics.isEmpty)
    }

    @Test(arguments: [#""disabled": true"#, #""enabled": false"#])
    func `a server that is switched off is kept and not run, and its placeholders only warn`(member: String) {
        let loaded = self.load(#"{"command": "x", "env": {"K": "${input:key}"}, \#(member)}"#)
        #expect(loaded.configuration?.servers.map(\.name) == ["s"])
        #expect(loaded.configuration?.upstreams.isEmpty == true)
        #expect(loaded.warnings.count == 1)
    }

    @Test func `env takes numbers and booleans as they are spelled, and null removes a variable`() throws {
        let program = try #require(
            Loading.program(self.load(#"{"command": "x", "env": {"N": 1.50, "B": true, "LANG": null}}"#))
        )
        #expect(program.environment.mapValues(\.value) == ["N": "1.50", "B": "true"])
        #expect(program.removedVariables == ["LANG"])
    }

    @Test func `a credential among the arguments is expanded with a warning`() throws {
        let loaded = self.load(#"{"command": "x", "args": ["--key=${credential:api}"]}"#)
        #expect(Loading.program(loaded)?.arguments.map(\.value) == ["--key=cred-secret"])
        #expect(loaded.warnings.map(\.keyPath) == ["mcpServers.s.args[0]"])
    }

    @Test func `every key of the table is known to the reader`() {
        for key in ServerKeyTable.common + ServerKeyTable.own {
            let loaded = self.load(#"{"command": "x", "\#(key.name)x": 1}"#)
            #expect(loaded.errors.map(\.message) == ["unknown key '\(key.name)x'."])
            let known = self.load(#"{"command": "x", "\#(key.name)": null}"#)
            #expect(!known.errors.contains { $0.message.hasPrefix("unknown key") })
        }
        #expect(ServerKeyTable.markdown.contains("| `idleStop` | time |"))
    }

    @Test func `a name becomes part of a file's name, short and without separators`() {
        #expect(ServerName.fileName(of: "calculator") == "calculator")
        #expect(ServerName.fileName(of: "io.github/x y") == "io%2Egithub%2Fx%20y")
        let long = ServerName.fileName(of: String(repeating: "é", count: 64))
        #expect(long.utf8.count == 48)
        #expect(long != ServerName.fileName(of: String(repeating: "é", count: 63)))
    }
}
