import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Tokens that end or wait", .timeLimit(.minutes(1))) struct LiveTokenTests {
    private static func bearer(_ fixture: ChatFixture) -> String { "Authorization: Bearer \(fixture.secret)" }

    @Test func `a token that ends while its change is on the way changes nothing`() async throws {
        try await ChatFixture.run(scope: "admin") { fixture in
            let client = try await fixture.front.connect()
            let body = #"{"mcpServers":{"more":{"command":"x"}}}"#
            let fields = ["Content-Type: application/json", "Content-Length: \(body.utf8.count)", Self.bearer(fixture)]
            try await client.send(HTTPText.request("POST /servers", fields, body: String(body.dropLast())))
            // The door has let it in by now.
            try await fixture.front.until { $0.worker.state.value.metrics.requestsInFlight == 1 }
            try await fixture.front.onLoop { front in
                let book = front.worker.state.value.tokenBook
                for token in book.tokens { book.revoke(token, at: 5) { _ in } }
            }
            try await client.send("}")
            let reply = try await client.reply()
            #expect(reply.status == 401 && reply.body.contains(#""code":"invalid_token""#))
            let asked = try await fixture.front.onLoop { $0.supervisor.value.asked }
            #expect(!asked.contains { $0.contains("servers.add") }, "\(asked)")
        }
    }

    @Test func `the session worker is told of a token that is revoked, after whoever waits for a call`()
        async throws
    {
        try await ChatFixture.run(scope: "mcp") { fixture in
            let client = try await fixture.front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1), [Self.bearer(fixture)]))
            try await fixture.front.until { $0.session.value.exchanges.count == 1 }
            let id = try await fixture.front.onLoop { front in
                let book = front.worker.state.value.tokenBook
                for token in book.tokens { book.revoke(token, at: 5) { _ in } }
                return book.tokens.first?.id.principal
            }
            #expect(try await client.reply().body.contains(#""code":"outcome_unknown""#))
            var seen: [FakeSession.Event] = []
            let events = try await fixture.front.onLoop { $0.session.value.events }
            for await event in events {
                seen.append(event)
                if case .opened(let header, _) = event, header.contains(#""op":"over""#) { break }
            }
            #expect(seen.dropFirst().first == .failed(.cancelled(reason: "token is over")))
            guard case .opened(let header, _) = seen.last else { return }
            #expect(header.contains(#""who":"\#(id ?? "?")""#))
        }
    }

    @Test func `a front that drains refuses what it was reading once its token is revoked elsewhere`() async throws {
        try await ChatFixture.run(scope: "mcp") { fixture in
            let client = try await fixture.front.connect()
            let body = HTTPText.call(1)
            try await client.send(String(HTTPText.post(body, [Self.bearer(fixture)]).dropLast()))
            try await fixture.front.until { $0.worker.state.value.metrics.requestsInFlight == 1 }
            try await fixture.front.onLoop { front in
                front.worker.drain(within: .seconds(50))
                // The one after it has written this.
                for index in fixture.store.stock.tokens.indices { fixture.store.stock.tokens[index].revoked = 5 }
                fixture.store.stock.revision += 1
            }
            let reply = try await client.reply()
            #expect(reply.status == 401 && reply.body.contains(#""code":"invalid_token""#))
            try await fixture.front.onLoop { front in
                #expect(!front.session.value.exchanges.contains { $0.header.description.contains("post") })
            }
        }
    }

    @Test func `a list of tokens is written down beside the loop`() async throws {
        try await ChatFixture.run { fixture in
            let isOnLoop = try await withCheckedThrowingContinuation { done in
                fixture.front.loop.execute {
                    let state = fixture.front.worker.state.value
                    let loop = state.loop
                    do {
                        state.access(try WorkerConfigurationCoding.encode(AccessCommand.list)) { reply in
                            guard case .tokens(let tokens) = reply, tokens.count == 1 else {
                                return done.resume(returning: true)
                            }
                            done.resume(returning: loop.inEventLoop)
                        }
                    } catch {
                        done.resume(throwing: error)
                    }
                }
            }
            #expect(!isOnLoop)
        }
    }

    @Test func `what is refused over HTTP+SSE has a row, too`() async throws {
        let limits = TokenLimits(rate: TokenRate(1, per: .day))
        try await ChatFixture.run(scope: "mcp", limits: limits, answer: LiveStreamedTests.answer) { fixture in
            let get = HTTPText.request("GET /sse", ["Accept: text/event-stream", Self.bearer(fixture)])
            let (stream, path) = try await LiveStreamedTests.open(fixture.front, get)
            let client = try await fixture.front.connect()
            for body in [HTTPText.call(1), HTTPText.call(2), #"{"jsonrpc":"2.0","id":3,"method":7}"#] {
                try await client.send(HTTPText.post(body, [Self.bearer(fixture)], path: path))
                #expect(try await client.reply().status == 202)
                _ = try await stream.chunk()
            }
            let rows = try await fixture.rows(3)
            #expect(
                rows.map { "\($0.method) \($0.outcome) \($0.status)" }
                    == ["tools/call ok 202", "tools/call rate_limited 202", "POST invalid_request 202"])
        }
    }

    @Test func `whoever leaves before it is known whether they may has a row, too`() async throws {
        let limits = TokenLimits(rate: TokenRate(1, per: .day))
        try await ChatFixture.run(scope: "mcp", limits: limits) { fixture in
            try await fixture.front.onLoop { _ in fixture.store.leases = [] }
            let client = try await fixture.front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1), [Self.bearer(fixture)]))
            try await fixture.front.until { _ in fixture.store.leases?.isEmpty == false }
            try await client.close()
            let rows = try await fixture.rows(1)
            #expect(rows.map { "\($0.method) \($0.outcome) \($0.status)" } == ["tools/call client_gone 499"])
        }
    }
}
