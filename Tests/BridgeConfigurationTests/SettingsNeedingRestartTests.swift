import Testing

@testable import BridgeConfiguration

@Suite("Settings that need a restart") struct SettingsNeedingRestartTests {
    @Test func `are told apart from those that take effect at once`() throws {
        let old = try #require(Loading.load(#"{"mcpServers": {}}"#).configuration)
        let new = try #require(
            Loading.load(
                """
                {"mcpServers": {}, "bridge": {"listen": "127.0.0.1:1", "names": "dot", "log": {"level": "debug", "path": "/l"}}}
                """
            ).configuration)
        #expect(SettingTable.needingRestart(from: old.settings, to: new.settings) == ["listen", "log.path"])
        #expect(SettingTable.needingRestart(from: new.settings, to: new.settings).isEmpty)
    }
}
