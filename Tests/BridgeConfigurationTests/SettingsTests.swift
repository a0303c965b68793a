import NIOCore
import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Settings under bridge") struct SettingsTests {
    private func load(_ bridge: String) -> LoadedConfiguration {
        Loading.load("{\"mcpServers\": {}, \"bridge\": \(bridge)}")
    }

    @Test func `every setting of the table is read back from what is printed`() throws {
        let written = """
            {"listen": ["127.0.0.1:9000", "unix:/run/x.sock"], "mcpPath": "/bridge/mcp/", "serverName": "n",
             "instructions": "i", "publicURL": "http://localhost:9000/", "names": "safe", "separator": "__",
             "safeNamesFor": ["x"], "listWait": 0, "pageSize": 50, "hosts": ["LocalHost"], "origins": ["http://127.0.0.9:*"],
             "trustedProxies": ["10.0.0.0/8", "::1"], "signIn": {"port": 7000}, "peers": {"ada": ["mcp", "admin"], "33": [], "*": ["chat"]},
             "limits": {"headerBytes": "32K", "bodyBytes": 2048, "chatBody": 4096, "connections": 7, "workerBytes": "2M", "calls": 8, "headerTimeout": 1,
                        "bodyTimeout": 2, "idleTimeout": 3, "slowReadTimeout": 4, "linger": "250ms",
                        "heldBytes": 1048576, "tokenRate": "60/min"}, "requireToken": "always",
             "sessionLifetime": "1d", "sessionIdleMemory": "1m", "resultRetention": 5, "keepAlive": 6,
             "timeouts": {"connect": 1, "list": 2, "call": 3, "ping": 4, "question": 5, "turn": 6}, "pingInterval": 7, "refreshInterval": 8,
             "reconnect": {"base": 0.5, "maximum": 9}, "drainTimeout": 10,
             "audit": {"requests": "all", "days": 3, "content": "full"},
             "chat": {"sources": ["VS Code", {"token": "abcdefghij23", "parallel": 2}, {"peer": "ada", "name": "mine"}],
                      "models": {"gpt": "mine", "big-*": {"source": ["mine", "VS Code"], "model": "b", "maxTokens": 9,
                      "priorities": {"speed": 1}}, "*": {}}, "warmup": false, "timeout": "none", "maxTokens": 5,
                      "priorities": {"intelligence": 1, "speed": 0, "cost": 0.25}, "parallel": 3, "queue": 4,
                      "usageOnFinish": true, "doneAfterMessages": true},
             "log": {"level": "WARN", "path": "/var/log/x", "maxBytes": 8192, "backups": 2}}
            """
        let loaded = self.load(written)
        #expect(loaded.diagnostics.isEmpty)
        let settings = try #require(loaded.configuration?.settings)
        #expect(settings.mcpPath == "/bridge/mcp" && settings.publicURL == "http://localhost:9000")
        #expect(settings.hosts == ["localhost"] && settings.log.level == .warning)
        #expect(settings.peers == PeerGrants(users: [1_000: [.mcp, .admin], 33: []], others: [.chat]))
        #expect(settings.chat.sources.map(\.name) == ["VS Code", "token:abcdefghij23", "mine"])
        #expect(settings.chat.sources.last?.peer == 1_000 && settings.chat.timeout == nil)
        #expect(settings.chat.models.map(\.name) == ["gpt", "big-*", "*"])
        #expect(settings.limits.linger == 0.25 && settings.limits.maximumHeaderBytes == 32_768)
        let standard = BridgeSettings()
        for setting in SettingTable.all { #expect(setting.differs(settings, standard), "\(setting.key)") }

        let printed = String(buffer: try #require(loaded.configuration).printed)
        let again = Loading.load(printed)
        #expect(again.diagnostics.isEmpty)
        #expect(again.configuration?.settings == settings)
    }

    @Test(arguments: [
        (#"{"lisen": []}"#, "bridge.lisen: unknown key 'lisen'."),
        (#"{"log": {"levl": "info"}}"#, "bridge.log.levl: unknown key 'levl'."),
        (#"{"log": "debug"}"#, "bridge.log: must be an object, not a string."),
        (#"{"listen": "example.org:80"}"#, "bridge.listen: is not an address to listen on."),
        (#"{"listen": ["127.0.0.1:70000"]}"#, "bridge.listen[0]: is not an address to listen on."),
        (#"{"listen": ":8769"}"#, "bridge.listen: is not an address to listen on."),
        (#"{"mcpPath": "/health"}"#, "bridge.mcpPath: \(MCPPath.complaint)"),
        (#"{"separator": ""}"#, "bridge.separator: must be 1 to 8 of letters, digits, '_', '-', '.', '/' and ':'."),
        (#"{"origins": ["claude.ai"]}"#, "bridge.origins[0]: is not an origin."),
        (#"{"hosts": ["https://x"]}"#, "bridge.hosts[0]: is not a host name."),
        (
            #"{"trustedProxies": ["10.0.0.0/33"]}"#,
            "bridge.trustedProxies[0]: is not an address or a block of addresses."
        ),
        (#"{"chat": {"sources": [{}]}}"#, "bridge.chat.sources[0]: does not say which client it is about."),
        (#"{"chat": {"sources": [{"token": "mcpb_x"}]}}"#, "bridge.chat.sources[0].token: is no token's id."),
        (
            #"{"chat": {"sources": [{"peer": "nobody-here"}]}}"#,
            "bridge.chat.sources[0].peer: there is no user 'nobody-here' on this machine."
        ),
        (#"{"chat": {"sources": ["a", "a"]}}"#, "bridge.chat.sources[1]: a source is called 'a' already."),
        (#"{"chat": {"sources": [{"clent": "a"}]}}"#, "bridge.chat.sources[0]: does not say which client it is about."),
        (#"{"chat": {"models": {"m": "x"}}}"#, "bridge.chat.models.m: there is no source called 'x'."),
        (#"{"chat": {"models": {"m": {"sorce": "x"}}}}"#, "bridge.chat.models.m.sorce: unknown key 'sorce'."),
        (#"{"chat": {"priorities": {"speed": 2}}}"#, "bridge.chat.priorities.speed: must be a number from 0 to 1."),
        (#"{"chat": {"timeout": 0}}"#, "bridge.chat.timeout: must be a time above 0."),
        (#"{"publicURL": "https://u@x/"}"#, "bridge.publicURL: is not a public URL."),
        (
            #"{"peers": {"nobody-here": ["mcp"]}}"#,
            "bridge.peers.nobody-here: there is no user 'nobody-here' on this machine."
        ),
        (#"{"pageSize": 0}"#, "bridge.pageSize: must be a whole number from 1 to 100000."),
        (#"{"listWait": -1}"#, "bridge.listWait: must be a time of 0 or more."),
        (
            #"{"log": {"level": "loud"}}"#,
            "bridge.log.level: must be one of 'trace', 'debug', 'info', 'notice', 'warning', 'error', 'critical'."
        ),
    ])
    func `a mistake in a setting is told`(bridge: String, expected: String) {
        let loaded = self.load(bridge)
        #expect(loaded.configuration == nil)
        #expect(loaded.errors.map { "\($0.keyPath): \($0.message)" } == [expected])
        #expect(loaded.errors.allSatisfy { $0.line == 1 })
    }

    @Test func `servers take the timeouts of bridge where they name none`() {
        let loaded = Loading.load(
            """
            {"mcpServers": {"a": {"command": "x", "timeouts": {"list": 9}}}, "bridge": {"timeouts": {"call": 5, "list": 6}}}
            """
        )
        #expect(loaded.configuration?.servers.first?.timeouts == UpstreamTimeouts(list: 9, call: 5))
    }

    @Test(arguments: [
        (#"{"listen": "0.0.0.0:8769"}"#, "bridge.listen"),
        (#"{"listen": ["127.0.0.1:1", "[::]:8769"]}"#, "bridge.listen"),
        (#"{"listen": "192.168.1.2:80"}"#, "bridge.listen"),
        (#"{"hosts": ["mcp.example.org"]}"#, "bridge.hosts"),
        (#"{"hosts": ["localhost", "10.0.0.1"]}"#, "bridge.hosts"),
        (#"{"publicURL": "https://mcp.example.org/x"}"#, "bridge.publicURL"),
        (#"{"trustedProxies": ["127.0.0.1"]}"#, "bridge.trustedProxies"),
    ])
    func `where other machines could come in, everybody needs a token`(bridge: String, key: String) {
        #expect(self.load(bridge).configuration?.settings.tokenRule == .always)
        let loaded = self.load(bridge.replacing("{\"", with: "{\"requireToken\": \"remote\", \"", maxReplacements: 1))
        #expect(loaded.configuration == nil, "and nobody can say that only others do")
        #expect(loaded.errors.map(\.keyPath) == [key])
        #expect(loaded.errors.first?.line == 1 && loaded.errors.first?.remedy != nil)
    }

    @Test(arguments: [
        ("{}", TokenRule.remote), (#"{"requireToken": "always"}"#, .always), (#"{"requireToken": "remote"}"#, .remote),
        (#"{"hosts": ["localhost"], "publicURL": "http://127.0.0.1/x"}"#, .remote),
        (#"{"hosts": ["mcp.example.org"], "requireToken": "always"}"#, .always),
    ])
    func `who needs a token is said, or follows from what is public`(bridge: String, rule: TokenRule) {
        #expect(self.load(bridge).configuration?.settings.tokenRule == rule)
    }

    @Test(arguments: [
        "127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "8769", "[::ffff:127.0.0.1]:1", "unix:/run/a",
    ])
    func `loopback and Unix sockets need no tokens`(address: String) {
        #expect(self.load("{\"listen\": \"\(address)\"}").configuration != nil)
    }

    @Test func `the table can be quoted`() {
        let rows = SettingTable.markdown.split(separator: "\n")
        #expect(rows.count == SettingTable.all.count + 2)
        #expect(rows.contains { $0.hasPrefix("| `listWait` | time | `10` |") })
        #expect(rows.contains { $0.hasPrefix("| `listen` |") && $0.hasSuffix("(restart) |") })
    }

    @Test func `origins of other machines and of extensions can be listed`() {
        let origins =
            #"["chrome-extension://abcdef", "app://obsidian.md", "vscode-webview://1a2b", "https://claude.ai"]"#
        let loaded = self.load("{\"origins\": \(origins)}")
        #expect(loaded.diagnostics.isEmpty && loaded.configuration?.settings.origins.count == 4)
        #expect(self.load(#"{"origins": ["chrome extension://a"]}"#).configuration == nil)
    }
}
