import BridgeCore
import Testing

@testable import BridgeChat

@Suite("Model preferences") struct PreferencesTests {
    @Test func `C04 priorities come from the environment, from 0 to 1, half where they cannot be read`() {
        let variables = ["MCPTB_PREF_INTELLIGENCE": " 0.9 ", "MCPTB_PREF_SPEED": "7", "MCPTB_PREF_COST": "cheap"]
        let settings = SamplingSettings(variable: { variables[$0] })
        #expect(settings.priorities == ModelPriorities(intelligence: 0.9, speed: 1, cost: 0.5))
        #expect(SamplingSettings(variable: { _ in "nan" }).priorities == ModelPriorities())
        #expect(
            SamplingSettings(variable: { _ in "-1" }).priorities == ModelPriorities(intelligence: 0, speed: 0, cost: 0))
    }

    @Test(arguments: [(nil, 327_680), ("100", 100), ("0", 1), ("-5", 1), ("many", 327_680), ("1.5", 327_680)])
    func `C02 the limit on tokens is 327680, at least 1`(value: String?, expected: Int) {
        #expect(SamplingSettings(variable: { $0 == "MCPTB_MAX_TOKENS" ? value : nil }).maximumTokens == expected)
    }

    @Test func `C12 a model that is not named has a name in answers`() {
        for name in ["", "auto", "mcp-external-sampling"] {
            #expect(ChatRequest(model: name).modelName == "mcp-external-sampling")
        }
        #expect(ChatRequest(model: "gpt-5").modelName == "gpt-5")
    }

    @Test func `no hint is without a name`() throws {
        let params = try Samples.params(ChatRequest(model: "auto"))
        #expect(params.text.value("modelPreferences")?.member("hints") == nil)
    }
}
