import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Variables of MCPTokenBridge") struct ChatEnvironmentTests {
    private func settings(_ variables: [String: String], _ file: String = "{}") throws -> ChatSettings {
        var context = Loading.context
        context.variables = variables
        let loaded = Loading.load(#"{"mcpServers": {}, "bridge": {"chat": \#(file)}}"#, context: context)
        return try #require(loaded.configuration).settings.chat
    }

    @Test(
        arguments: [
            ("none", nil), ("0", nil), ("Infinite", nil), ("INF", nil), ("-5", nil), ("45", 45), ("0.5", 0.5),
            (" 7 ", 7),
            ("soon", 9), ("nan", 9), ("", 9),
        ] as [(String, Double?)])
    func `MCPTB_HTTP_TIMEOUT is seconds, or a word for no limit, and else as good as unset`(
        text: String, seconds: Double?
    ) throws {
        let settings = try self.settings(["MCPTB_HTTP_TIMEOUT": text], #"{"timeout": 9}"#)
        #expect(settings.timeout?.rawValue == seconds)
    }

    @Test(arguments: [("5", 5), ("0", 1), ("-3", 1), ("many", 8), ("1.5", 8)])
    func `MCPTB_MAX_TOKENS is 1 at least`(text: String, tokens: Int) throws {
        #expect(try self.settings(["MCPTB_MAX_TOKENS": text], #"{"maxTokens": 8}"#).maximumTokens == tokens)
    }

    @Test func `preferences are brought to 0 to 1`() throws {
        let settings = try self.settings([
            "MCPTB_PREF_INTELLIGENCE": "0.9", "MCPTB_PREF_SPEED": "7", "MCPTB_PREF_COST": "-1",
        ])
        #expect(settings.priorities.intelligence == 0.9)
        #expect(settings.priorities.speed == 1 && settings.priorities.cost == 0)
        #expect(try self.settings(["MCPTB_PREF_COST": "x"]) == ChatSettings())
    }

    @Test func `what cannot be read is told, and refuses nothing`() {
        let variables = ChatEnvironment(["MCPTB_HTTP_TIMEOUT": "soon", "MCPTB_MAX_TOKENS": "5"])
        #expect(variables.diagnostics.map(\.keyPath) == ["MCPTB_HTTP_TIMEOUT"])
        #expect(variables.diagnostics.map(\.severity) == [.warning])
    }
}
