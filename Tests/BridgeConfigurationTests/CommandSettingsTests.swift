import NIOCore
import Testing

@testable import BridgeConfiguration

@Suite("Flags of a command") struct CommandSettingsTests {
    private static let file = #"{"mcpServers": {}, "bridge": {"listen": ["127.0.0.1:1"], "serverName": "file's"}}"#

    private static func load(_ text: String, _ change: (inout CommandSettings) -> Void) -> LoadedConfiguration {
        var command = CommandSettings()
        change(&command)
        var context = Loading.context
        context.variables["MCP_BRIDGE_PORT"] = "2"
        return ConfigurationLoader(context: context, command: command)
            .load(ConfigurationSource(name: "servers.json", directory: "/etc/app", bytes: Array(text.utf8)))
    }

    @Test func `they win over the file and the environment`() {
        let settings = Self.load(Self.file) {
            $0.listen = [.tcp(host: "127.0.0.1", port: 3)]
            $0.serverName = "flag's"
        }.configuration?.settings
        #expect(settings?.listen == [.tcp(host: "127.0.0.1", port: 3)])
        #expect(settings?.serverName == "flag's")
    }

    @Test func `a command's usual name gives way to the file's, and to nothing else`() {
        let change: (inout CommandSettings) -> Void = { $0.standardServerName = "mcp-gateway" }
        #expect(Self.load(Self.file, change).configuration?.settings.serverName == "file's")
        #expect(Self.load(#"{"mcpServers": {}}"#, change).configuration?.settings.serverName == "mcp-gateway")
        #expect(Self.load(#"{"mcpServers": {}}"#) { _ in }.configuration?.settings.serverName == "mcp-bridge")
    }

    @Test func `what a command says of its server gives way to the file, and how it ends does not`() {
        let change: (inout CommandSettings) -> Void = {
            $0.standardInstructions = "command's"
            $0.drainTimeout = 0.5
        }
        let written = #"{"mcpServers": {}, "bridge": {"instructions": "file's", "drainTimeout": 30}}"#
        #expect(Self.load(written, change).configuration?.settings.instructions == "file's")
        #expect(Self.load(written, change).configuration?.settings.drainTimeout == 0.5)
        #expect(Self.load(Self.file, change).configuration?.settings.instructions == "command's")
    }

    @Test func `what a command usually logs gives way to the file, whatever that says`() {
        let change: (inout CommandSettings) -> Void = { $0.standardContent = .full }
        let written = #"{"mcpServers": {}, "bridge": {"audit": {"content": "digest"}}}"#
        #expect(Self.load(written, change).configuration?.settings.audit.content == .digest)
        #expect(Self.load(Self.file, change).configuration?.settings.audit.content == .full)
    }

    @Test func `how long a command usually waits for a model gives way to the file and to the environment`() {
        let load = { (file: String, variables: [String: String]) in
            var command = CommandSettings()
            command.standardChatTimeout = 30
            var context = Loading.context
            context.variables.merge(variables) { $1 }
            return ConfigurationLoader(context: context, command: command)
                .load(ConfigurationSource(name: "c.json", directory: "/etc/app", bytes: Array(file.utf8)))
                .configuration?.settings.chat.timeout
        }
        let written = #"{"mcpServers": {}, "bridge": {"chat": {"timeout": 300}}}"#
        #expect(load(Self.file, [:]) == 30)
        #expect(load(written, [:]) == 300)
        #expect(load(written, ["MCPTB_HTTP_TIMEOUT": "5"]) == 5)
        #expect(load(Self.file, ["MCPTB_HTTP_TIMEOUT": "soon"]) == 30)
        #expect(load(Self.file, ["MCPTB_HTTP_TIMEOUT": "none"]) == .some(nil))
    }

    @Test func `a command that serves no demo serves nothing where there is no file`() {
        for servesDemo in [true, false] {
            var command = CommandSettings()
            command.servesDemo = servesDemo
            let loaded = ConfigurationLoader(context: Loading.context, command: command).load(nil)
            #expect(loaded.configuration?.names == (servesDemo ? ["demo"] : []))
        }
    }

    @Test func `an address beyond loopback is listened at, and asks for a token`() throws {
        let loaded = Self.load(Self.file) { $0.listen = [.tcp(host: "0.0.0.0", port: 8_080)] }
        let settings = try #require(loaded.configuration).settings
        #expect(settings.listen == [.tcp(host: "0.0.0.0", port: 8_080)])
        #expect(settings.tokenRule == .always)
    }
}
