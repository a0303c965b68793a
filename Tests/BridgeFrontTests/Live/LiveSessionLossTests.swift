import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Loss of the session worker", .timeLimit(.minutes(1))) struct LiveSessionLossTests {
    /// Waits for a request to arrive at the session worker, and kills that.
    private static func killOnArrival(_ front: FrontFixture) async throws {
        var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
        _ = await events.next()
        try await front.onLoop { front in
            front.session.value.answerWith(FakeSession.echo)
            front.session.value.die()
        }
    }

    private static let silent: FakeSession.Answer = { _, _, _ in }

    @Test func `a call that may have run gets one answer, which says so, and the connection is kept`() async throws {
        try await FrontFixture.run(answer: Self.silent) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(7)))
            try await Self.killOnArrival(front)
            let reply = try await client.reply()
            #expect(reply.status == 200)
            let body = try JSONText(validating: ByteBuffer(string: reply.body))
            #expect(body.int("id") == 7)
            #expect(body.value("error")?.int("code") == -32004)
            #expect(body.value("error")?.value("data")?.string("code") == "outcome_unknown")
            try await client.send(HTTPText.post(HTTPText.call(8)))
            #expect(try await client.reply().body.contains("\"id\":8,\"result\""))
            let opened = try await front.onLoop { $0.session.value.exchanges.count }
            #expect(opened == 2)
        }
    }

    @Test(arguments: [HTTPText.call(7, "tools/list"), HTTPText.call(7, "initialize")])
    func `what only reads is asked again`(body: String) async throws {
        try await FrontFixture.run(answer: Self.silent) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(body))
            try await Self.killOnArrival(front)
            #expect(try await client.reply().body.contains("\"id\":7,\"result\""))
        }
    }

    @Test func `each request of a batch gets its error`() async throws {
        try await FrontFixture.run(answer: Self.silent) { front in
            let client = try await front.connect()
            let batch = "[\(HTTPText.call(1)),\(HTTPText.call(2)),{\"jsonrpc\":\"2.0\",\"method\":\"x\"}]"
            try await client.send(HTTPText.post(batch))
            try await Self.killOnArrival(front)
            let body = try JSONText(validating: ByteBuffer(string: try await client.reply().body))
            var ids: [Int?] = []
            body.elements { ids.append(body[$0].int("id")) }
            #expect(ids == [1, 2])
        }
    }

    @Test func `a stream ends with the error of what it still owed`() async throws {
        let answer: FakeSession.Answer = { exchange, _, _ in
            exchange.send(
                header: .parse(#"{"ev":"1"}"#), payload: ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"result":{}}"#))
        }
        try await FrontFixture.run(answer: answer) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post("[\(HTTPText.call(1)),\(HTTPText.call(2))]"))
            #expect(try await client.head().status == 200)
            #expect(try await client.chunk()?.contains("\"id\":1,\"result\"") == true)
            try await Self.killOnArrival(front)
            let chunk = try await client.chunk()
            #expect(chunk?.contains(#""id":2,"error":{"code":-32004"#) == true)
            #expect(chunk?.contains(#""id":1"#) == false)
            #expect(try await client.chunk() == nil)
        }
    }

    @Test func `a GET stream just ends`() async throws {
        try await FrontFixture.run(answer: { exchange, _, _ in exchange.send(header: .parse(#"{"open":true}"#)) }) {
            front in
            let client = try await front.connect()
            try await client.send(HTTPText.request("GET /mcp", ["Accept: text/event-stream", "Mcp-Session-Id: s"]))
            #expect(try await client.head().status == 200)
            try await Self.killOnArrival(front)
            #expect(try await client.chunk() == nil)
        }
    }

    @Test(arguments: ["tools/call", "ping"])
    func `without a session worker a request waits, is told that it has not run, and can be tried again`(
        method: String
    ) async throws {
        try await FrontFixture.run(sessionListens: false) { front in
            try await front.onLoop { $0.worker.state.value.sessionWait = .milliseconds(20) }
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(7, method)))
            let reply = try await client.reply()
            #expect(reply.status == 503)
            #expect(reply.value("retry-after") == "1")
            let error = try JSONText(validating: ByteBuffer(string: reply.body)).value("error")
            #expect(error?.int("code") == -32003)
            #expect(error?.value("data")?.string("code") == "session_unavailable")
            #expect(reply.body.contains(#""id":7"#))
        }
    }
}
