import BridgeAccess
import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Time and tokens of requests to models", .timeLimit(.minutes(1))) struct LiveChatTimeTests {
    @Test func `a request whose turn does not come in time asks nobody`() async throws {
        try await ChatFixture.run(
            limits: TokenLimits(concurrency: 1), isSandboxed: false, configure: { $0.chatTimeout = 0.05 }
        ) { fixture in
            let first = try await fixture.front.connect()
            try await first.send(fixture.ask(.messages, ChatFixture.body(.messages, text: "first")))
            try await fixture.front.until { $0.session.value.exchanges.count == 1 }
            let second = try await fixture.front.connect()
            try await second.send(fixture.ask(.completions, ChatFixture.body(.completions, text: "second")))
            let reply = try await second.reply()
            #expect(reply.status == 503)
            #expect(try reply.word(.completions) == "overloaded")
            #expect(reply.body.contains("within 0.05 s (chat.timeout); nobody was asked"))
            #expect(try await fixture.front.onLoop { $0.session.value.exchanges.count } == 1)
        }
    }

    @Test func `a second round has what is left of the time, and is counted with the answer before it`() async throws {
        let answers: FakeSession.Answer = { exchange, _, _ in
            let text = String(repeating: "x", count: 4_000)
            exchange.end(
                header: ChatEnd.answered(ChatSourceRemarks(source: "s")).text,
                payload: SamplingResult.text(ChatAnswer(model: "m", blocks: [.text(text)], stop: .endTurn)).bytes)
        }
        let budget = TokenLimits(budget: TokenBudget(1_000_000, .tokens))
        try await ChatFixture.run(limits: budget, isSandboxed: false, answer: answers) { fixture in
            fixture.store.budget = 1_000_000
            let client = try await fixture.front.connect()
            let object = #""response_format":{"type":"json_object"}"#
            try await client.send(fixture.ask(.completions, ChatFixture.body(.completions, more: object)))
            #expect(try await client.reply().status == 502)
            let timeouts = try await fixture.front.onLoop { front in
                front.session.value.exchanges.map { exchange -> Int? in
                    guard case .ask(let ask) = ChatOpening(exchange.header) else { return nil }
                    return ask.timeout
                }
            }
            let (first, second) = (try #require(timeouts.first ?? nil), try #require(timeouts.last ?? nil))
            #expect(timeouts.count == 2 && second <= first)
            // Two answers of 1,000 tokens, and the first of them once more in the second question.
            try await fixture.front.onLoop { $0.worker.state.value.limits.giveBack() }
            let used = 1_000_000 - (fixture.store.budget ?? 0)
            #expect((3_000...3_200).contains(used), "\(used)")
            let row = try #require(try await fixture.rows(1).first)
            #expect(row.outputTokens == 2_000 && row.inputTokens == used - 2_000)
        }
    }
}
