import BridgeAccess
import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("What clients of the model APIs do their own way", .timeLimit(.minutes(1))) struct LiveChatWishTests {
    private static func streamed(
        _ fixture: ChatFixture, _ dialect: ChatDialect, _ more: String = ""
    ) async throws -> String {
        let client = try await fixture.front.connect()
        try await client.send(fixture.ask(dialect, ChatFixture.body(dialect, more: #""stream":true\#(more)"#)))
        #expect(try await client.head().status == 200)
        var body = ""
        while let chunk = try await client.chunk() { body += chunk }
        return body
    }

    @Test(arguments: [false, true])
    func `usage stands on a chunk of its own, or on the one that ends the answer`(isWanted: Bool) async throws {
        try await ChatFixture.run(configure: { $0.chatStreams.usageOnFinish = isWanted }) { fixture in
            let body = try await Self.streamed(fixture, .completions, #","stream_options":{"include_usage":true}"#)
            #expect(body.contains(#""usage":{"#))
            #expect(body.contains(#""choices":[]"#) == !isWanted)
            // Who has not asked for it hears nothing of it in any case.
            #expect(try await !Self.streamed(fixture, .completions).contains("usage"))
        }
    }

    @Test(arguments: [false, true])
    func `a stream of messages ends with DONE where that is wanted`(isWanted: Bool) async throws {
        try await ChatFixture.run(configure: { $0.chatStreams.doneAfterMessages = isWanted }) { fixture in
            let body = try await Self.streamed(fixture, .messages)
            #expect(body.contains("event: message_stop\n"))
            #expect(body.hasSuffix("\n\ndata: [DONE]\n\n") == isWanted)
            #expect(try await Self.streamed(fixture, .completions).hasSuffix("\n\ndata: [DONE]\n\n"))
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `no proxy is to hold a stream back, or to change it`(dialect: ChatDialect) async throws {
        try await ChatFixture.run { fixture in
            let client = try await fixture.front.connect()
            let body = ChatFixture.body(dialect, more: #""stream":true"#)
            try await client.send(fixture.ask(dialect, body, ["Accept-Encoding: gzip, br, zstd"]))
            let head = try await client.head()
            #expect(head.value("content-type") == "text/event-stream; charset=utf-8")
            #expect(head.value("cache-control") == "no-cache, no-transform")
            #expect(head.value("x-accel-buffering") == "no")
            #expect(head.value("content-encoding") == nil)
        }
    }

    @Test func `whom a client speaks for is a digest in its row, and nobody acts on it`() async throws {
        try await ChatFixture.run { fixture in
            let client = try await fixture.front.connect()
            for request in [
                fixture.ask(
                    .responses, ChatFixture.body(.responses, more: #""user":"ada""#),
                    ["Session-Id: one", "Session-Id: two"]),
                fixture.ask(
                    .messages, ChatFixture.body(.messages, more: #""metadata":{"user_id":"ada"}"#),
                    ["X-Claude-Code-Session-Id: one"]),
                fixture.ask(.completions, ChatFixture.body(.completions)),
            ] {
                try await client.send(request)
                #expect(try await client.reply().status == 200)
            }
            let rows = try await fixture.rows(3)
            let (ada, one) = (ChatRecord.digest(of: "ada"), ChatRecord.digest(of: "one"))
            #expect(rows.map(\.user) == [ada, ada, nil])
            #expect(rows.map(\.clientSession) == [one, one, nil])
            #expect(Set(rows.map(\.principal)).count == 1)
        }
    }

    @Test func `tokens are counted while all else of the token waits its turn`() async throws {
        try await ChatFixture.run(limits: TokenLimits(concurrency: 1), isSandboxed: false) { fixture in
            let busy = try await fixture.front.connect()
            try await busy.send(fixture.ask(.messages, ChatFixture.body(.messages)))
            try await fixture.front.until { $0.session.value.exchanges.count == 1 }
            let client = try await fixture.front.connect()
            for _ in 0..<25 {
                try await client.send(
                    fixture.ask(.messages, ChatFixture.body(.messages), path: "/v1/messages/count_tokens"))
                #expect(try await client.reply().status == 200)
            }
            #expect(try await fixture.front.onLoop { $0.session.value.exchanges.count } == 1)
        }
    }
}
