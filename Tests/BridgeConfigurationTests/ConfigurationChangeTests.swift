import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Configuration changes") struct ConfigurationChangeTests {
    private func change(_ old: String, _ new: String) throws -> ConfigurationChange {
        ConfigurationChange.between(
            try #require(Loading.load(old).configuration), try #require(Loading.load(new).configuration)
        )
    }

    @Test func `the same file changes nothing`() throws {
        let text = #"{"mcpServers": {"a": {"command": "x", "env": {"K": "v"}}}, "bridge": {"names": "safe"}}"#
        #expect(try self.change(text, text).isEmpty)
    }

    @Test func `servers are added, removed and changed by name`() throws {
        let change = try self.change(
            #"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}, "c": {"command": "x"}, "d": {"command": "x"}}}"#,
            """
            {"mcpServers": {"a": {"command": "x"}, "b": {"command": "x", "env": {"K": "v"}},
             "c": {"command": "x", "prefix": "sea"}, "d": {"command": "x", "disabled": true}, "e": {"command": "x"}}}
            """
        )
        #expect(change.added.map(\.name) == ["e"])
        #expect(change.removed == ["d"])
        #expect(change.changed.map(\.entry.name) == ["b", "c"])
        #expect(change.changed.map(\.needsNewProcess) == [true, false])
        #expect(!change.isReordered && change.appliedSettings.isEmpty && change.settingsNeedingRestart.isEmpty)
    }

    @Test func `settings are told apart by when they take effect`() throws {
        let change = try self.change(
            #"{"mcpServers": {}}"#,
            """
            {"mcpServers": {}, "bridge": {"listen": "127.0.0.1:1", "names": "dot", "log": {"level": "debug", "path": "/l"}}}
            """
        )
        #expect(change.appliedSettings == ["names", "log.level"])
        #expect(change.settingsNeedingRestart == ["listen", "log.path"])
        #expect(!change.isEmpty)
    }

    @Test func `another order is a change`() throws {
        let change = try self.change(
            #"{"mcpServers": {"a": {"command": "x"}, "b": {"command": "x"}}}"#,
            #"{"mcpServers": {"b": {"command": "x"}, "a": {"command": "x"}}}"#
        )
        #expect(change.isReordered && change.changed.isEmpty && !change.isEmpty)
    }
}
