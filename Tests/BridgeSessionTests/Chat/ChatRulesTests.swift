import BridgeChat
import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Warming a source up") struct WarmUpTests {
    @Test func `asks once at a time, and ever less often, 5 minutes apart at most`() {
        var warmUp = WarmUp(now: .zero)
        var now = Duration.zero
        var pauses: [Duration] = []
        for _ in 0..<14 {
            let before = now
            while !warmUp.asks(now: now) { now += .milliseconds(250) }
            pauses.append(now - before)
            let asksAgain = warmUp.asks(now: now + .seconds(1_000))
            #expect(!asksAgain)
            warmUp.failed(now: now, draw: 1)
        }
        #expect(pauses.prefix(4) == [.zero, .seconds(1), .seconds(2), .seconds(4)])
        #expect(pauses.last == .seconds(300))
        warmUp.wanted(now: now)
        let asked = [warmUp.asks(now: now), warmUp.asks(now: now + .seconds(1))]
        #expect(asked == [false, true])
    }

    @Test func `leaves a client alone that has refused, until somebody wants it`() {
        var warmUp = WarmUp(now: .zero)
        var asked = [warmUp.asks(now: .zero)]
        warmUp.refused()
        asked.append(warmUp.asks(now: .seconds(100_000)))
        warmUp.wanted(now: .seconds(100_000))
        asked.append(warmUp.asks(now: .seconds(100_000)))
        warmUp.answered()
        warmUp.wanted(now: .seconds(200_000))
        asked.append(warmUp.asks(now: .seconds(200_001)))
        #expect(asked == [true, false, true, false])
        #expect(warmUp.isReady)
    }

    @Test func `waits as long for an answer as a window may stand open`() {
        var warmUp = WarmUp(now: .seconds(5))
        let asked = [warmUp.asks(now: .zero), warmUp.asks(now: .seconds(5))]
        #expect(asked == [false, true])
        #expect(!warmUp.isOverdue(now: .seconds(304)))
        #expect(warmUp.isOverdue(now: .seconds(305)))
    }
}

@Suite("What was refused a moment ago") struct RefusalBookTests {
    private static let fault = ChatFault(.samplingRefused, "no")

    @Test func `is refused again to the same principal for the same model, for a minute`() {
        var book = RefusalBook()
        let now = NIODeadline.now()
        book.note(Self.fault, principal: "a", model: "m", now: now)
        #expect(book.refusal(principal: "a", model: "m", now: now + .seconds(59)) == Self.fault)
        #expect(book.refusal(principal: "a", model: "m", now: now + .seconds(60)) == nil)
        #expect(book.refusal(principal: "b", model: "m", now: now) == nil)
        #expect(book.refusal(principal: "a", model: "n", now: now) == nil)
        book.forget()
        #expect(book.refusal(principal: "a", model: "m", now: now) == nil)
    }

    @Test func `takes no more than a little room`() {
        var book = RefusalBook()
        let now = NIODeadline.now()
        for number in 0..<5_000 { book.note(Self.fault, principal: "a", model: "\(number)", now: now) }
        #expect(book.refusal(principal: "a", model: "4999", now: now) == Self.fault)
        #expect((0..<5_000).count { book.refusal(principal: "a", model: "\($0)", now: now) != nil } <= 1_024)
    }
}

@Suite("What models are called") struct ModelBookTests {
    private func book(_ rules: [ChatModelRule], _ adjust: (inout ChatSettings) -> Void = { _ in }) -> ModelBook {
        var settings = ChatSettings()
        settings.models = rules
        adjust(&settings)
        return ModelBook(settings)
    }

    private func rule(_ name: String, _ adjust: (inout ChatModelRule) -> Void = { _ in }) -> ChatModelRule {
        var rule = ChatModelRule(name: name)
        adjust(&rule)
        return rule
    }

    @Test func `without rules every name is a hint to any source`() throws {
        let book = self.book([]) { $0.priorities.speed = 1 }
        #expect(book.names == ["mcp-external-sampling"])
        let entry = try #require(book.entry("openai/gpt-5-2026-01-02"))
        #expect(entry.sources.isEmpty && entry.maximumTokens == 327_680)
        #expect(entry.preferences.hints == ["openai/gpt-5-2026-01-02", "gpt-5"])
        #expect(entry.preferences.priorities == ModelPriorities(speed: 1))
        #expect(try #require(book.entry("auto")).preferences.hints.isEmpty)
    }

    @Test func `a name is its own rule's, else the first pattern's, else unknown`() throws {
        let book = self.book([
            self.rule("gpt-*") { $0.sources = ["a"] },
            self.rule("gpt-5") {
                $0.sources = ["b"]
                $0.model = "gpt-5.1"
                $0.maximumTokens = 100
            },
            self.rule("*-5") { $0.sources = ["c"] },
        ])
        #expect(book.names == ["gpt-5"])
        let named = try #require(book.entry("gpt-5"))
        #expect(named.sources == ["b"] && named.preferences.hints == ["gpt-5.1"] && named.maximumTokens == 100)
        #expect(try #require(book.entry("gpt-4")).sources == ["a"])
        #expect(try #require(book.entry("o-5")).sources == ["c"])
        #expect(book.entry("claude") == nil)
        #expect(book.entry("auto") == nil && book.entry("") == nil)
    }

    @Test(arguments: ["", "auto", "mcp-external-sampling"])
    func `who names no model gets what the configuration has for that`(model: String) throws {
        for name in ["auto", "mcp-external-sampling", "*"] {
            let book = self.book([self.rule("gpt") { $0.sources = ["a"] }, self.rule(name) { $0.sources = ["b"] }])
            #expect(try #require(book.entry(model)).sources == ["b"])
            #expect(Set(book.names) == ["gpt", "mcp-external-sampling"])
        }
    }
}

@Suite("Who is a source") struct ChatSourceRuleTests {
    @Test func `all that a rule says must be true, and it must say something`() {
        let all = ChatSourceRule(name: "n", client: "VS Code", token: "abc", peer: nil)
        #expect(all.matches(client: "vs code", principal: "token:abc"))
        #expect(!all.matches(client: "VS Code", principal: "token:abcd"))
        #expect(!all.matches(client: "VS Code", principal: "local"))
        #expect(!all.matches(client: "VS Code 2", principal: "token:abc"))
        #expect(!all.matches(client: nil, principal: "token:abc"))
        let peer = ChatSourceRule(name: "n", peer: 1_000)
        #expect(peer.matches(client: nil, principal: "uid:1000"))
        #expect(!peer.matches(client: nil, principal: "uid:10001"))
        #expect(!peer.matches(client: nil, principal: "local"))
        #expect(!ChatSourceRule(name: "n").matches(client: "any", principal: "local"))
    }
}
