import BridgeLog
import Logging
import Testing

@Suite("Log settings")
struct LogSettingsTests {
    private func settings(
        _ environment: [String: String],
        level: Logger.Level? = nil,
        isJournal: Bool = false
    ) -> LogSettings {
        LogSettings(environment: environment, level: level, isJournal: isJournal, isTerminal: false)
    }

    @Test func `without settings it is text at info and no file`() {
        let settings = self.settings([:])
        #expect(settings.level == .info && settings.console == .text(.off) && settings.file == nil)
        #expect(settings.complaints.isEmpty)
    }

    @Test func `an older program's lines go to standard error, whatever that is`() {
        for isJournal in [true, false] {
            let gateway = self.settings(["MCP_BRIDGE_LOG_LINES": "gateway"], isJournal: isJournal)
            #expect(gateway.console == .gateway)
            let bridge = self.settings(
                ["MCP_BRIDGE_LOG_LINES": "token-bridge", "MCPTB_FORCE_COLOR": "1"], isJournal: isJournal)
            #expect(bridge.console == .tokenBridge(.on))
        }
    }

    @Test func `the journal is used where standard error goes to it, a file beside it`() {
        let settings = self.settings(["MCP_BRIDGE_LOG_PATH": "/var/log/x"], isJournal: true)
        #expect(settings.console == .journal)
        #expect(settings.file == .init(path: "/var/log/x", maximumBytes: 5_242_880, backups: 5))
    }

    @Test(arguments: [
        ("debug", Logger.Level.debug), ("WARN", .warning), ("Warning", .warning), ("critical", .critical), ("", .info),
    ])
    func `the level is read as people write it`(text: String, expected: Logger.Level) {
        let settings = self.settings(["MCP_BRIDGE_LOG_LEVEL": text])
        #expect(settings.level == expected && settings.complaints.isEmpty)
    }

    @Test func `an argument wins over the environment`() {
        let settings = self.settings(["MCP_BRIDGE_LOG_LEVEL": "nonsense"], level: .trace)
        #expect(settings.level == .trace && settings.complaints.isEmpty)
    }

    @Test func `the file's limits are read, and nonsense is complained about`() {
        var environment = ["MCP_BRIDGE_LOG_PATH": "l", "MCP_BRIDGE_LOG_MAX_BYTES": "10", "MCP_BRIDGE_LOG_BACKUPS": "0"]
        #expect(self.settings(environment).file == .init(path: "l", maximumBytes: 10, backups: 0))
        environment["MCP_BRIDGE_LOG_MAX_BYTES"] = "0"
        environment["MCP_BRIDGE_LOG_BACKUPS"] = "many"
        environment["MCP_BRIDGE_LOG_LEVEL"] = "loud"
        let settings = self.settings(environment)
        #expect(settings.file == .init(path: "l", maximumBytes: 5_242_880, backups: 5))
        #expect(settings.level == .info && settings.complaints.count == 3)
    }
}
