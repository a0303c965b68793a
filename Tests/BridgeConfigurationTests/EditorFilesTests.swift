import BridgeMCP
import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

/// Files that other programs keep their servers in, among much else.
@Suite("Settings of editors and assistants") struct EditorFilesTests {
    private static let program = #"{"one": {"command": "npx", "args": ["-y", "p"], "env": {"K": "v"}}}"#

    @Test(arguments: [
        // Zed
        #"{"theme": "One", "vim_mode": true, "context_servers": SERVERS, "agent": {"enabled": true}}"#,
        // VS Code's settings.json, nested and flat
        #"{"editor.fontSize": 12, "mcp": {"inputs": [{"id": "x"}], "servers": SERVERS}, "files.exclude": {}}"#,
        #"{"editor.fontSize": 12, "mcp.servers": SERVERS}"#,
        // a development container, a workspace
        #"{"image": "x", "customizations": {"vscode": {"extensions": [], "mcp": {"servers": SERVERS}}}}"#,
        #"{"folders": [], "settings": {"mcp": {"servers": SERVERS}}}"#,
        // Claude Code's ~/.claude.json: the user's own, and a project's
        #"{"numStartups": 7, "oauthAccount": {"emailAddress": "x"}, "projects": {"/src": {"history": []}}, "mcpServers": SERVERS}"#,
        #"{"numStartups": 7, "projects": {"/src": {"allowedTools": [], "mcpServers": SERVERS}}}"#,
        // the same before there are projects; Gemini CLI's settings.json, newer and older
        #"{"numStartups": 1, "userID": "x", "mcpServers": SERVERS}"#,
        #"{"security": {"auth": {"selectedType": "oauth-personal"}}, "ui": {}, "mcp": {"allowed": []}, "mcpServers": SERVERS}"#,
        #"{"selectedAuthType": "gemini-api-key", "theme": "GitHub", "mcpServers": SERVERS}"#,
        // Windsurf, Cline, Copilot CLI, .mcp.json
        #"{"mcpServers": SERVERS}"#,
    ])
    func `the servers are found, and there is not a word about the rest`(text: String) throws {
        let loaded = Loading.load(text.replacing("SERVERS", with: Self.program))
        #expect(loaded.diagnostics.isEmpty)
        #expect(loaded.configuration?.upstreams.map(\.name) == ["one"])
        let program = try #require(Loading.program(loaded))
        #expect(program.arguments.map(\.value) == ["-y", "p"] && program.environment["K"]?.value == "v")
    }

    @Test(arguments: [
        #"{"mcp": {"allowed": ["a"]}, "mcpServers": SERVERS}"#, #"{"projects": [], "mcpServers": SERVERS}"#,
    ])
    func `a file that is no editor's settings still has its other keys named`(text: String) {
        let loaded = Loading.load(text.replacing("SERVERS", with: Self.program))
        #expect(loaded.warnings.count == 1 && loaded.fates?.served == ["one"])
    }

    @Test func `a Copilot CLI file is taken`() throws {
        let loaded = Loading.load(
            """
            {"mcpServers": {
              "playwright": {"type": "local", "command": "npx", "args": ["@playwright/mcp"], "tools": ["*"], "env": {}},
              "github": {"type": "http", "url": "https://api.example.com/mcp", "headers": {"A": "b"}, "tools": ["get_*"]},
              "events": {"type": "sse", "url": "https://api.example.com/sse", "tools": ["*"], "isDefaultServer": true}
            }}
            """
        )
        #expect(loaded.fates?.served == ["playwright", "github", "events"])
        #expect(loaded.errors.isEmpty)
        let github = try #require(loaded.configuration?.server(named: "github"))
        #expect(github.tools.shownName(of: "get_me") == "get_me" && github.tools.shownName(of: "drop") == nil)
    }

    @Test func `a Windsurf file is taken`() {
        let loaded = Loading.load(
            """
            {"mcpServers": {
              "figma": {"serverUrl": "https://x.example/sse", "headers": {"K": "${env:GITHUB_TOKEN}"}, "disabledTools": []},
              "time": {"command": "uvx", "args": ["mcp-server-time"], "disabled": false, "alwaysAllow": []}
            }}
            """
        )
        #expect(loaded.fates?.served == ["figma", "time"] && loaded.errors.isEmpty)
        #expect(
            !loaded.warnings.contains { $0.keyPath.hasSuffix("serverUrl") && $0.message.contains("another program") })
    }

    @Test(arguments: [
        (#""disabledTools": ["a"]"#, ["b", "c"]), (#""excludeTools": ["a", "c"]"#, ["b"]),
        (#""includeTools": ["a", "b"], "excludeTools": ["b"]"#, ["a"]), (#""includeTools": []"#, ["a", "b", "c"]),
        (#""disabledTools": ["a"], "tools": ["a", "b"]"#, ["b"]),
        (#""includeTools": ["c"], "tools": ["*"]"#, ["a", "b", "c"]),
    ])
    func `tools that are switched off in another program stay off`(keys: String, shown: [String]) {
        let loaded = Loading.load("{\"mcpServers\": {\"s\": {\"command\": \"x\", \(keys)}}}")
        let tools = loaded.configuration?.server(named: "s")?.tools
        #expect(loaded.diagnostics.isEmpty)
        #expect(["a", "b", "c"].filter { tools?.shownName(of: $0) != nil } == shown)
    }

    @Test func `a Cline file is taken`() {
        let loaded = Loading.load(
            """
            {"mcpServers": {
              "a": {"autoApprove": ["x"], "disabled": false, "timeout": 60, "type": "stdio", "command": "node", "args": []},
              "b": {"type": "streamableHttp", "url": "https://x/mcp", "autoApprove": [], "timeout": 60},
              "c": {"transportType": "sse", "url": "https://x/sse", "remoteConfigured": true, "disabled": true},
              "d": {"transportType": "http", "url": "https://x/mcp", "headers": {}, "command": null}
            }}
            """
        )
        #expect(loaded.fates?.served == ["a", "b", "d"] && loaded.errors.isEmpty)
        let dialects = loaded.configuration?.servers.compactMap { server in
            if case .remote(let endpoint) = server.target { endpoint.dialect } else { nil }
        }
        #expect(dialects == [.streamableHTTP, .sse, .streamableHTTP])
    }

    @Test(arguments: ["$MY_TOKEN", "$TOKEN", "$_A1"])
    func `a variable as Gemini CLI alone writes it is passed on as it is, and said to be`(written: String) {
        let loaded = Loading.load(#"{"mcpServers": {"a": {"command": "x", "env": {"K": "\#(written)"}}}}"#)
        #expect(loaded.fates?.served == ["a"])
        #expect(loaded.brief == ["1:52 mcpServers.a.env.K: is passed on as it is written."])
        #expect(Loading.program(loaded)?.environment["K"]?.value == written)
    }

    @Test(arguments: ["$", "$a", "pa$WORD", "$WORD!", "$1", "$$", "$ A", "${GITHUB_TOKEN}", "$${A}"])
    func `any other dollar is nobody's business`(written: String) {
        #expect(
            Loading.load(#"{"mcpServers": {"a": {"command": "x", "env": {"K": "\#(written)"}}}}"#).diagnostics.isEmpty)
    }

    @Test func `a Gemini CLI file is taken`() {
        let loaded = Loading.load(
            """
            {"theme": "x", "mcpServers": {
              "a": {"httpUrl": "https://x/mcp", "headers": {"A": "b"}, "timeout": 5000, "trust": true},
              "b": {"command": "x", "includeTools": ["y"]}
            }}
            """
        )
        #expect(loaded.fates?.served == ["a", "b"] && loaded.errors.isEmpty)
    }

    @Test func `a Zed file is taken, with programs written either way, and extensions explained`() throws {
        let loaded = Loading.load(
            """
            // Zed settings
            {
              "ui_font_size": 16,
              "context_servers": {
                "new": {"source": "custom", "enabled": true, "command": "npx", "args": ["-y", "p"], "env": {"K": "v"}},
                "old": {"command": {"path": "./bin/python", "args": ["s.py"], "env": {"K": "v"}, "timeout": 90}, "settings": {}},
                "far": {"url": "https://x/mcp", "headers": {"A": "b"}},
                "ext": {"source": "extension", "settings": {"key": "v"}},
                "bare": {"settings": {}},
              },
            }
            """
        )
        #expect(loaded.fates?.served == ["new", "old", "far"] && loaded.fates?.failed == ["ext", "bare"])
        #expect(loaded.mistakes.isEmpty)
        #expect(loaded.warnings.isEmpty)
        let old = try #require(Loading.program(loaded, "old"))
        #expect(old.command.value == "/etc/app/bin/python" && old.arguments.map(\.value) == ["s.py"])
        #expect(old.environment["K"]?.value == "v")
        #expect(loaded.configuration?.server(named: "old")?.timeouts.call == 90)
    }

    @Test func `Claude Code's projects have their servers, that run in the project's folder`() throws {
        var context = Loading.context
        context.fileExists = { ["/src/one/tools/a.py", "/etc/app/tools/a.py"].contains($0) }
        let loaded = Loading.load(
            """
            {"numStartups": 3,
             "mcpServers": {"mine": {"type": "stdio", "command": "x", "args": []}},
             "projects": {
               "/src/one": {"mcpServers": {"a": {"command": "python3", "args": ["tools/a.py"]}, "mine": {"command": "y"},
                                           "off": {"command": "z"}}, "disabledMcpServers": ["off"]},
               "/src/two": {"mcpServers": {"b": {"command": "w", "cwd": "/elsewhere"}, "a": {"command": "v"},
                                           "bad": {"command": "${NOPE}"}}},
               "/src/three": {"mcpServers": {}}, "/src/four": {}}}
            """,
            context: context
        )
        #expect(loaded.fates?.served == ["mine", "a", "b"] && loaded.fates?.failed == ["bad"])
        #expect(Loading.program(loaded, "mine")?.command.value == "x")
        let a = try #require(Loading.program(loaded, "a"))
        #expect(a.workingDirectory?.value == "/src/one" && a.arguments.map(\.value) == ["/src/one/tools/a.py"])
        #expect(Loading.program(loaded, "b")?.workingDirectory?.value == "/elsewhere")
        #expect(
            loaded.warnings.map(\.keyPath) == [
                "projects./src/one.mcpServers.mine", "projects./src/two.mcpServers.a",
            ])
        #expect(loaded.warnings.allSatisfy { $0.remedy != nil })
    }

    // MARK: Encodings

    private func load(_ bytes: [UInt8]) -> LoadedConfiguration {
        ConfigurationLoader(context: Loading.context).load(
            ConfigurationSource(name: "config.json", directory: "/etc/app", bytes: bytes)
        )
    }

    /// The same text as other programs might save it.
    private static func encoded(_ text: String, width: Int, isBig: Bool, mark: Bool) -> [UInt8] {
        let scalars = (mark ? [0xFEFF] : []) + text.unicodeScalars.map(\.value)
        return scalars.flatMap { scalar -> [UInt8] in
            let bytes = (0..<width).map { UInt8(truncatingIfNeeded: scalar >> UInt32(8 * $0)) }
            return isBig ? bytes.reversed() : bytes
        }
    }

    @Test(arguments: [2, 4], [true, false])
    func `a file of another encoding is named as such`(width: Int, isBig: Bool) {
        for mark in [true, false] {
            for text in [#"{"mcpServers": {}}"#, "\n{}", "// é\n{}"] {
                let loaded = self.load(Self.encoded(text, width: width, isBig: isBig, mark: mark))
                #expect(loaded.configuration == nil)
                #expect(loaded.errors.map(\.message) == ["the file is UTF-\(width * 8)."])
                #expect(loaded.errors.map(\.remedy) == ["Save it as UTF-8."])
            }
        }
    }

    @Test func `UTF-8 is not taken for anything else`() {
        for text in ["{}", "\u{FEFF}{}", "\n{}", "// é\n{}", "  {}"] {
            #expect(self.load(Array(text.utf8)).errors.isEmpty)
        }
        #expect(self.load([]).errors.map(\.message) == ["the file is empty."])
        #expect(
            self.load([0x7B, 0x22, 0xE9, 0x22, 0x3A, 0x31, 0x7D]).errors.map(\.remedy) == ["Save the text as UTF-8."])
    }
}
