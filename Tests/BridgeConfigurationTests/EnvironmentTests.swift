import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Environment variables and locations") struct EnvironmentTests {
    private func load(_ variables: [String: String], _ text: String?) -> LoadedConfiguration {
        var context = Loading.context
        context.variables = variables
        guard let text else { return ConfigurationLoader(context: context).load(nil) }
        return Loading.load(text, context: context)
    }

    @Test func `variables win over the file`() throws {
        let loaded = self.load(
            [
                "MCP_BRIDGE_PORT": "9001", "MCP_BRIDGE_MCP_PATH": "/x", "MCP_BRIDGE_LOG_PATH": "~/b.log",
                "MCP_BRIDGE_LOG_MAX_BYTES": "100", "MCP_BRIDGE_LOG_BACKUPS": "0",
            ],
            #"{"mcpServers": {}, "bridge": {"listen": ["[::1]:1", "unix:/run/a"], "mcpPath": "/y", "log": {"backups": 3}}}"#
        )
        let settings = try #require(loaded.configuration?.settings)
        #expect(settings.listen.map(\.description) == ["[::1]:9001", "unix:/run/a"])
        #expect(settings.mcpPath == "/x" && settings.log.path == "/home/ada/b.log")
        #expect(settings.log.maximumBytes == 100 && settings.log.backups == 0)
    }

    @Test func `without variables and file everything has its default`() throws {
        let settings = try #require(self.load(["MCP_BRIDGE_PORT": ""], nil).configuration?.settings)
        #expect(settings == BridgeSettings())
        #expect(settings.listen.map(\.description) == ["127.0.0.1:8769"])
        #expect(settings.mcpPath == "/mcp" && settings.log.maximumBytes == 5_242_880 && settings.log.backups == 5)
    }

    @Test(arguments: [
        ("MCP_BRIDGE_PORT", "65536"), ("MCP_BRIDGE_PORT", "x"), ("MCP_BRIDGE_HOST", "example.org"),
        ("MCP_BRIDGE_MCP_PATH", "mcp"), ("MCP_BRIDGE_LOG_MAX_BYTES", "0"),
        ("MCP_BRIDGE_LOG_BACKUPS", "-1"),
    ])
    func `a bad variable is an error that names it`(name: String, value: String) {
        let loaded = self.load([name: value], nil)
        #expect(loaded.configuration == nil)
        #expect(loaded.errors.map(\.keyPath) == [name])
        #expect(loaded.errors.map(\.file) == ["environment"])
    }

    @Test func `overseer and sentinel become servers with bare names, in place of the demo`() throws {
        let loaded = self.load(
            [
                "MCP_BRIDGE_OVERSEER_URL": "https://o.example/mcp", "MCP_BRIDGE_SENTINEL_COMMAND": "/opt/s",
                "MCP_BRIDGE_SENTINEL_ARGS": "  a  'b c' ",
            ],
            nil
        )
        let servers = try #require(loaded.configuration?.servers)
        #expect(servers.map(\.name) == ["overseer", "sentinel"])
        #expect(servers.allSatisfy { $0.prefix == "" })
        let program = try #require(Loading.program(loaded, "sentinel"))
        #expect(program.command.value == "/opt/s" && program.arguments.map(\.value) == ["a", "'b", "c'"])
    }

    @Test func `a variable that names a server badly keeps only that one from running`() {
        let loaded = self.load(["MCP_BRIDGE_OVERSEER_URL": "x", "MCP_BRIDGE_SENTINEL_COMMAND": "/opt/s"], nil)
        #expect(loaded.fates?.served == ["sentinel"] && loaded.fates?.failed == ["overseer"])
        #expect(loaded.errors.map(\.keyPath) == ["MCP_BRIDGE_OVERSEER_URL"])
    }

    private func overseer(_ variables: [String: String]) -> (UpstreamTarget.Endpoint?, LoadedConfiguration) {
        let loaded = self.load(
            variables.merging(["MCP_BRIDGE_SENTINEL_COMMAND": "/opt/s"]) { own, _ in own }, nil)
        guard case .remote(let endpoint)? = loaded.configuration?.server(named: "overseer")?.target else {
            return (nil, loaded)
        }
        return (endpoint, loaded)
    }

    @Test func `the overseer is reached through the service's proxy, unless it is on this machine`() {
        let proxies = ["HTTPS_PROXY": "http://u:secret@proxy.example:3128", "http_proxy": "http://other:1"]
        let at = { (url: String) in
            self.overseer(proxies.merging(["MCP_BRIDGE_OVERSEER_URL": url]) { own, _ in own }).0?.proxy
        }
        let proxy = RemoteTarget.Proxy(
            .http, host: "proxy.example", port: 3_128, user: "u", password: Secret("secret"))
        #expect(at("https://o.example/mcp") == proxy)
        #expect(at("http://o.example/mcp") == .init(.http, host: "other", port: 1))
        #expect(at("https://127.0.0.1:9/mcp") == nil && at("http://localhost/mcp") == nil)
    }

    @Test func `a proxy that cannot be used is the overseer's own trouble`() {
        let (endpoint, loaded) = self.overseer([
            "MCP_BRIDGE_OVERSEER_URL": "https://o.example/mcp", "ALL_PROXY": "ftp://secret@x",
        ])
        #expect(endpoint == nil && loaded.fates?.served == ["sentinel"] && loaded.fates?.failed == ["overseer"])
        #expect(loaded.errors.map(\.keyPath) == ["MCP_BRIDGE_OVERSEER_URL"])
        #expect(loaded.errors.allSatisfy { $0.message.contains("ALL_PROXY") && !"\($0)".contains("secret") })
        #expect(loaded.mistakes.isEmpty)
    }

    @Test func `an empty URL or command adds nothing`() {
        let loaded = self.load(["MCP_BRIDGE_OVERSEER_URL": "", "MCP_BRIDGE_SENTINEL_COMMAND": ""], nil)
        #expect(loaded.configuration?.servers.map(\.name) == ["demo"])
    }

    @Test func `a server of the file that a variable names is replaced with a warning`() {
        let loaded = self.load(
            ["MCP_BRIDGE_SENTINEL_COMMAND": "/opt/s"], #"{"mcpServers": {"sentinel": {"command": "x"}}}"#
        )
        #expect(Loading.program(loaded)?.command.value == "/opt/s")
        #expect(loaded.warnings.map(\.keyPath) == ["MCP_BRIDGE_SENTINEL_COMMAND"])
    }

    @Test func `the configuration is looked for where the flag, the variable or the service says`() {
        let user = ["HOME": "/home/ada"]
        let find = { (flag: String?, environment: [String: String], system: Bool) in
            ConfigurationLocations.candidates(flag: flag, environment: environment, isSystemService: system)
        }
        #expect(find("~/f", user, false) == [.init(path: "/home/ada/f", isRequired: true)])
        #expect(
            find(nil, user.merging(["MCP_BRIDGE_CONFIG": "/e"]) { $1 }, true) == [.init(path: "/e", isRequired: true)])
        #expect(find(nil, user, true) == [.init(path: "/etc/mcp-bridge/config.json", isRequired: false)])
        #expect(find(nil, user, false) == [.init(path: "/home/ada/.config/mcp-bridge/config.json", isRequired: false)])
    }

    @Test func `a user's configuration lies in XDG's folder, else in the home's; the state stays where it is`() {
        let user = { (folder: String) in ["HOME": "/home/ada", "XDG_CONFIG_HOME": folder] }
        let find = { (folder: String, system: Bool) in
            ConfigurationLocations.candidates(flag: nil, environment: user(folder), isSystemService: system)
                .map(\.path)
        }
        let usual = "/home/ada/.config/mcp-bridge/config.json"
        #expect(find("/x/", false) == ["/x/mcp-bridge/config.json", usual])
        #expect(find("", false) == [usual] && find("x", false) == [usual])
        #expect(find("/home/ada/.config/", false) == [usual])
        #expect(find("/x", true) == ["/etc/mcp-bridge/config.json"])
        #expect(ConfigurationLocations.stateDirectory(environment: user("/x")) == "/home/ada/.config/mcp-bridge")
    }

    @Test func `state lies where systemd, the variable or the home says`() {
        let state = ConfigurationLocations.stateDirectory
        #expect(state(["HOME": "/h", "STATE_DIRECTORY": "/a:/b", "MCP_BRIDGE_CONFIG_DIR": "/c"]) == "/a")
        #expect(state(["HOME": "/h", "MCP_BRIDGE_CONFIG_DIR": "~/c/"]) == "/h/c")
        #expect(state(["HOME": "/h"]) == "/h/.config/mcp-bridge")
        let paths = StatePaths(environment: [
            "HOME": "/h", "MCP_BRIDGE_TOOL_CACHE_PATH": "~/t", "MCP_BRIDGE_OAUTH_STATE_PATH": "/o",
        ])
        #expect(paths.toolCache == "/h/t" && paths.oauthState == "/o")
        #expect(paths.servers == "/h/.config/mcp-bridge/servers.json")
    }
}
