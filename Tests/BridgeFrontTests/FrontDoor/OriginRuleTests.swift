import BridgeConfiguration
import BridgeCore
import Testing

@testable import BridgeFront

@Suite("Origin") struct OriginRuleTests {
    private static func rule(_ origin: String?) -> OriginRule {
        let configuration = FrontConfiguration(sessionSocket: "", version: "0", serviceUID: 1)
        return OriginRule(origin) { configuration.allows(origin: $0) }
    }

    @Test func `a request without Origin comes from no page`() {
        #expect(Self.rule(nil) == .absent)
    }

    @Test(arguments: ["http://localhost:3000", "http://127.0.0.1:8769", "http://localhost", "http://[::1]:9"])
    func `a page of this machine is local`(origin: String) {
        #expect(Self.rule(origin) == .loopback)
    }

    @Test(arguments: [
        "https://claude.ai", "https://chatgpt.com", "https://chat.openai.com", "https://a.claudeusercontent.com",
        "https://a.b.openai.com",
    ])
    func `a known web client may ask`(origin: String) {
        #expect(Self.rule(origin) == .remote)
    }

    @Test(arguments: [
        "null", "", "https://evil.example", "http://claude.ai", "https://claude.ai.evil.example", "https://xclaude.ai",
        "http://a.openai.com", "https://openai.com.evil.example", "http://localhost:80@evil.example",
        "http://localhost.evil.example", "file://", "https://claude.ai/", "https://claude.ai, https://evil.example",
    ])
    func `anything else is refused`(origin: String) {
        #expect(Self.rule(origin) == .refused)
    }

    @Test func `an origin that only looks local is remote even where a pattern lets it in`() {
        #expect(OriginRule("http://localhost.evil.example") { _ in true } == .remote)
        #expect(OriginRule("http://127.0.0.1.evil.example:80") { _ in true } == .remote)
        #expect(OriginRule("https://localhost:1") { _ in true } == .loopback)
    }
}
