import BridgeAccess
import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("The model APIs and who answers", .timeLimit(.minutes(1))) struct LiveChatTests {
    /// Answers with what was asked, as a source would.
    private static let source: FakeSession.Answer = { exchange, header, payload in
        guard case .ask(let ask) = ChatOpening(header) else { return }
        exchange.send(header: ChatNote.asked(source: "vscode").text)
        exchange.send(header: ChatNote.alive.text)
        let result = ChatAnswer(
            model: "gpt-5-mini", blocks: [.text("to \(ask.model): one END two")], stop: .other("odd"))
        exchange.end(
            header: ChatEnd.answered(ChatSourceRemarks(source: "vscode", ignored: ["temperature"])).text,
            payload: SamplingResult.text(result).bytes)
    }

    private static func failing(_ fault: ChatFault, afterAsking: Bool = false) -> FakeSession.Answer {
        { exchange, _, _ in
            if afterAsking { exchange.send(header: ChatNote.asked(source: "vscode").text) }
            exchange.end(header: ChatEnd.failed(fault.failure).text)
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `a source's answer is fitted, and told with what was ignored`(dialect: ChatDialect) async throws {
        try await ChatFixture.run(isSandboxed: false, answer: Self.source) { fixture in
            let client = try await fixture.front.connect()
            let stop = dialect == .messages ? "stop_sequences" : "stop"
            let more = #""\#(stop)":["END"],"top_p":0.5"#
            try await client.send(fixture.ask(dialect, ChatFixture.body(dialect, more: more)))
            let reply = try await client.reply()
            #expect(reply.status == 200)
            #expect(reply.body.contains("to m: one ") && !reply.body.contains("two"))
            #expect(reply.value("x-mcp-bridge") == "hook")
            #expect(reply.value("x-mcp-model") == "gpt-5-mini")
            #expect(reply.value("x-mcp-bridge-ignored")?.hasSuffix("top_p, temperature") == true)
            let id = try #require(reply.value(dialect == .messages ? "request-id" : "x-request-id"))
            let row = try #require(try await fixture.rows(1).first)
            #expect(row.requestID == id && row.method == ChatTarget.ask(dialect).name && row.subject == "m")
            #expect(row.outcome == "ok" && row.status == 200 && row.responseBytes == reply.body.utf8.count)
        }
    }

    @Test func `the session worker is told what it has to know, and nothing of the dialect`() async throws {
        try await ChatFixture.run(isSandboxed: false) { fixture in
            let client = try await fixture.front.connect()
            let events = try await fixture.front.onLoop { $0.session.value.events }
            var seen = events.makeAsyncIterator()
            try await client.send(
                fixture.ask(.completions, ChatFixture.body(.completions, model: "auto", more: #""max_tokens":7"#)))
            guard case .opened(let header, let payload) = await seen.next() else { return }
            guard case .ask(let ask) = ChatOpening(JSONText.parse(header)) else { Issue.record("\(header)"); return }
            #expect(ask.model == "" && ask.maximumTokens == 7 && ask.needs == [])
            #expect(ask.principal.hasPrefix("token:"))
            #expect((1...300_000).contains(ask.timeout ?? 0))
            let request = try SamplingParams.read(JSONText.parse(payload))
            #expect(request.turns == [.user("hello there")])
        }
    }

    @Test(arguments: [true, false])
    func `a client that goes cancels what it asked, streamed or not`(isStreamed: Bool) async throws {
        try await ChatFixture.run(isSandboxed: false) { fixture in
            let client = try await fixture.front.connect()
            let events = try await fixture.front.onLoop { $0.session.value.events }
            var seen = events.makeAsyncIterator()
            try await client.send(
                fixture.ask(.responses, ChatFixture.body(.responses, more: #""stream":\#(isStreamed)"#)))
            _ = await seen.next()
            try await client.close()
            #expect(await seen.next() == .failed(.cancelled(reason: "client gone")))
            #expect(try await fixture.rows(1).map(\.outcome) == ["client_gone"])
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `a stream that waits says so, and then tells what went wrong in its own way`(dialect: ChatDialect) async throws
    {
        try await ChatFixture.run(isSandboxed: false, configure: { $0.keepAliveInterval = 0.02 }) { fixture in
            let client = try await fixture.front.connect()
            try await client.send(fixture.ask(dialect, ChatFixture.body(dialect, more: #""stream":true"#)))
            let head = try await client.head()
            #expect(head.status == 200)
            #expect(head.value("content-type") == "text/event-stream; charset=utf-8")
            #expect(head.value("x-accel-buffering") == "no")
            let alive =
                dialect == .completions ? ": waiting" : dialect == .messages ? "event: ping" : "response.created"
            #expect(try #require(try await client.chunk()).contains(alive))
            try await fixture.front.onLoop { front in
                let fault = ChatFault(.sourceLost, "The source is gone", sourceWasAsked: true)
                front.session.value.exchanges.first?.end(header: ChatEnd.failed(fault.failure).text)
            }
            var rest = ""
            while let chunk = try await client.chunk() { rest += chunk }
            #expect(rest.contains("source_lost") && rest.contains("The source is gone"))
            if dialect == .messages { #expect(rest.contains("event: error\n")) }
            #expect(!rest.contains("[DONE]") && !rest.contains("finish_reason"))
            #expect(try await fixture.rows(1).map(\.outcome) == ["source_lost"])
        }
    }

    @Test func `a failure before the head has its own status, streamed or not`() async throws {
        for fault in [
            ChatFault.noHook, .timeout(after: "30 s", setting: "chat.timeout"), ChatFault(.samplingRefused, "No"),
        ] {
            try await ChatFixture.run(isSandboxed: false, answer: Self.failing(fault)) { fixture in
                let client = try await fixture.front.connect()
                for isStreamed in [true, false] {
                    try await client.send(
                        fixture.ask(.completions, ChatFixture.body(.completions, more: #""stream":\#(isStreamed)"#)))
                    let reply = try await client.reply()
                    #expect(reply.status == fault.status(in: .completions))
                    #expect(try reply.word(.completions) == fault.kind.word)
                    #expect(try reply.json.string("detail") == fault.detail)
                    #expect(reply.value("retry-after") == fault.retryDelay.map(String.init))
                    #expect(reply.value("x-should-retry") == fault.shouldRetry.map(String.init))
                }
            }
        }
    }

    @Test func `what nobody was asked is asked of the next worker, and what a source was asked is not`() async throws {
        let first: FakeSession.Answer = { exchange, _, payload in
            if payload?.description.contains("asked") == true {
                exchange.send(header: ChatNote.asked(source: "s").text)
            }
        }
        try await ChatFixture.run(isSandboxed: false, answer: first) { fixture in
            let client = try await fixture.front.connect()
            for (text, status) in [("not yet", 200), ("asked", 502)] {
                try await fixture.front.onLoop { $0.session.value.answerWith(first) }
                let count = try await fixture.front.onLoop { $0.session.value.exchanges.count }
                try await client.send(fixture.ask(.messages, ChatFixture.body(.messages, text: text)))
                try await fixture.front.until { $0.session.value.exchanges.count == count + 1 }
                if status == 502 {
                    // The note has arrived before anything that comes after it on the same connection.
                    try await fixture.front.until {
                        $0.worker.state.value.table.requests.contains { ($0 as? ChatCall)?.machine.wasAsked == true }
                    }
                }
                try await fixture.front.onLoop { front in
                    front.session.value.answerWith(Self.source)
                    front.session.value.die()
                }
                let reply = try await client.reply()
                #expect(reply.status == status, "\(text): \(reply.body)")
                if status == 502 { #expect(reply.value("x-should-retry") == "false") }
            }
        }
    }

    @Test func `an answer that does not fit is asked for once more`() async throws {
        let answers: FakeSession.Answer = { exchange, _, payload in
            let isSecond = payload?.description.contains("cannot be used") == true
            let text = isSecond ? "{\"a\":1}" : "no"
            exchange.send(header: ChatNote.asked(source: "s").text)
            exchange.end(
                header: ChatEnd.answered(ChatSourceRemarks(source: "s")).text,
                payload: SamplingResult.text(ChatAnswer(model: "m", blocks: [.text(text)], stop: .endTurn)).bytes)
        }
        try await ChatFixture.run(isSandboxed: false, answer: answers) { fixture in
            let client = try await fixture.front.connect()
            let object = #""response_format":{"type":"json_object"}"#
            try await client.send(fixture.ask(.completions, ChatFixture.body(.completions, more: object)))
            #expect(try await client.reply().json.string("text") == #"{"a":1}"#)
            let schema =
                #""response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object","required":["b"]}}}"#
            try await client.send(fixture.ask(.completions, ChatFixture.body(.completions, more: schema)))
            let reply = try await client.reply()
            #expect(reply.status == 502)
            #expect(try reply.word(.completions) == "schema_not_met")
            #expect(try await fixture.front.onLoop { $0.session.value.exchanges.count } == 4)
        }
    }

    @Test func `a token's requests wait for each other, and a client that goes gives up its turn`() async throws {
        try await ChatFixture.run(limits: TokenLimits(concurrency: 1), isSandboxed: false) { fixture in
            let (first, second, third) = (
                try await fixture.front.connect(), try await fixture.front.connect(), try await fixture.front.connect()
            )
            try await first.send(fixture.ask(.messages, ChatFixture.body(.messages, text: "first")))
            try await fixture.front.until { $0.session.value.exchanges.count == 1 }
            for (client, text) in [(second, "second"), (third, "third")] {
                try await client.send(fixture.ask(.messages, ChatFixture.body(.messages, text: text)))
                try await fixture.front.until {
                    $0.worker.state.value.metrics.requestsInFlight == (text == "second" ? 2 : 3)
                }
            }
            try await second.close()
            try await fixture.front.until { $0.worker.state.value.metrics.requestsInFlight == 2 }
            #expect(try await fixture.front.onLoop { $0.session.value.exchanges.count } == 1)
            try await first.close()
            try await fixture.front.until { $0.session.value.exchanges.count == 2 }
        }
    }

    @Test(arguments: ChatDialect.allCases, [true, false])
    func `an answer has the name of the model that was asked for, streamed or not`(
        dialect: ChatDialect, isStreamed: Bool
    ) async throws {
        try await ChatFixture.run(isSandboxed: false, answer: Self.source) { fixture in
            let client = try await fixture.front.connect()
            let ours = "mcp-external-sampling"
            for (asked, told) in [("org/m:latest", "org/m:latest"), ("auto", dialect == .messages ? "auto" : ours)] {
                let body = ChatFixture.body(dialect, model: asked, more: #""stream":\#(isStreamed)"#)
                try await client.send(fixture.ask(dialect, body))
                var said = ""
                if isStreamed {
                    let head = try await client.head()
                    #expect(head.value("x-mcp-model") == "gpt-5-mini")
                    while let chunk = try await client.chunk() { said += chunk }
                } else {
                    said = try await client.reply().body
                }
                #expect(said.contains(#""model":"\#(told)""#) && !said.contains(#""model":"gpt"#))
            }
        }
    }

    @Test func `models are those that the session worker knows and the token may use`() async throws {
        let answer: FakeSession.Answer = { exchange, header, _ in
            guard case .models = ChatOpening(header) else { return }
            exchange.end(
                header: ChatModels(isReady: true).text,
                payload: ByteBuffer(string: #"["fast","slow","mcp-external-sampling"]"#))
        }
        try await ChatFixture.run(models: "fast,mcp-*", isSandboxed: false, answer: answer) { fixture in
            let client = try await fixture.front.connect()
            try await client.send(fixture.get("/v1/models"))
            let reply = try await client.reply()
            #expect(reply.body.contains(#""id":"mcp-external-sampling""#) && reply.body.contains(#""id":"fast""#))
            #expect(!reply.body.contains("slow"))
            #expect(reply.value("x-mcp-models-count") == "2" && reply.value("x-mcp-session-ready") == "true")
            try await client.send(fixture.get("/v1/models/fast"))
            #expect(try await client.reply().json.string("id") == "fast")
            try await client.send(fixture.get("/v1/models", ["anthropic-version: 2023-06-01"]))
            #expect(try await client.reply().body.contains(#""id":"anthropic/mcp-external-sampling""#))
        }
    }
}
