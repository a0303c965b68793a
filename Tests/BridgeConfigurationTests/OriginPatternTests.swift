import Testing

@testable import BridgeConfiguration
@testable import BridgeCore

@Suite("Origin patterns") struct OriginPatternTests {
    @Test(arguments: [
        "https://claude.ai", "https://CLAUDE.ai", "https://claude.ai:443", "https://chatgpt.com",
        "https://chat.openai.com",
        "https://x.claudeusercontent.com", "https://a.b.openai.com", "http://localhost:3000", "http://127.0.0.1:8080",
        "http://localhost", "http://[::1]:5173",
    ])
    func `the shipped list lets in`(origin: String) {
        #expect(OriginPattern.standard.contains { $0.matches(origin) })
    }

    @Test(arguments: [
        "http://claude.ai", "https://claude.ai:8443", "https://evilclaude.ai", "https://claude.ai.evil.example",
        "http://x.openai.com", "https://openai.com.evil.example", "https://claudeusercontent.com", "null", "",
        "http://localhost:80@evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example",
        "http://localhost:", "http://localhost:x", "https://localhost:3000", "file://", "https://*.openai.com",
        "https://.openai.com", "https://claude.ai/", "https://claude.ai evil",
    ])
    func `the shipped list keeps out`(origin: String) {
        let matching = OriginPattern.standard.filter { $0.matches(origin) }
        #expect(matching.isEmpty)
    }

    @Test(arguments: [
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop", true),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://ponmlkjihgfedcba", false),
        ("chrome-extension://abc", "moz-extension://abc", false), ("app://obsidian.md", "app://obsidian.md", true),
        ("app://obsidian.md", "https://obsidian.md", false), ("app://obsidian.md", "app://obsidian.md:80", false),
    ])
    func `extensions and applications have schemes of their own`(pattern: String, origin: String, isLetIn: Bool) {
        #expect(OriginPattern(pattern).isValid)
        #expect(OriginPattern(pattern).matches(origin) == isLetIn)
    }

    @Test(arguments: [
        "https://*", "*", "claude.ai", "https://a.example/path", "https://a.example:*x", "https://[::1", "://x",
    ])
    func `what is no origin is no pattern`(pattern: String) {
        #expect(!OriginPattern(pattern).isValid)
        #expect(!OriginPattern(pattern).matches(pattern))
    }
}
