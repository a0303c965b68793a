import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("HTTP+SSE", .timeLimit(.minutes(1))) struct LiveStreamedTests {
    /// Opens the streams that it is asked for, and echoes the rest.
    static let answer: FakeSession.Answer = { exchange, header, payload in
        guard header.string("op") == "sse" else { return FakeSession.echo(exchange, header, payload) }
        exchange.send(header: SessionEvent(sessionID: header.string("sid") ?? "sealed").text)
    }

    static let get = HTTPText.request("GET /sse", ["Accept: text/event-stream"])

    /// A stream that is open, and where its messages go.
    static func open(_ front: FrontFixture, _ request: String = get) async throws -> (RawClient, String) {
        let client = try await front.connect()
        try await client.send(request)
        let head = try await client.head()
        #expect(head.status == 200)
        #expect(head.value("content-type") == "text/event-stream")
        #expect(head.value("mcp-session-id") == nil)
        let first = try await client.chunk() ?? ""
        let start = "event: endpoint\ndata: "
        try #require(first.hasPrefix(start) && first.hasSuffix("\n\n"))
        return (client, String(first.dropFirst(start.utf8.count).dropLast(2)))
    }

    static func post(_ front: FrontFixture, _ path: String, _ body: String) async throws -> RawClient.Reply {
        let client = try await front.connect()
        try await client.send(HTTPText.post(body, path: path))
        return try await client.reply()
    }

    static func message(_ text: String) -> String { "event: message\ndata: \(text)\n\n" }

    @Test func `the first event says where to post, and answers come behind it`() async throws {
        try await FrontFixture.run(answer: Self.answer) { front in
            let (stream, path) = try await Self.open(front)
            let id = path.dropFirst("/messages/?session_id=".count)
            #expect(path == "/messages/?session_id=\(id)")
            #expect(id.utf8.count == 32)
            for number in 1...3 {
                let reply = try await Self.post(front, path, HTTPText.call(number, "ping"))
                #expect(reply.status == 202)
                #expect(reply.body == "")
                #expect(reply.value("content-type") == nil)
                let expected = #"{"jsonrpc":"2.0","id":\#(number),"result":{"method":"ping"}}"#
                #expect(try await stream.chunk() == Self.message(expected))
            }
            let (_, other) = try await Self.open(front)
            #expect(other != path)
        }
    }

    @Test func `the session worker hears the id that it has given, its newest, and from the third on a number`()
        async throws
    {
        try await FrontFixture.run(answer: Self.answer) { front in
            let (stream, path) = try await Self.open(front, HTTPText.request("GET /sse?names=safe"))
            for number in 1...4 {
                _ = try await Self.post(front, path, HTTPText.call(number, "ping"))
                _ = try await stream.chunk()
            }
            let headers = try await front.onLoop { $0.session.value.exchanges.map(\.header.description) }
            #expect(headers[0].hasPrefix(#"{"op":"sse""#))
            #expect(headers[1].contains(#""sid":"sealed""#) && headers[1].contains(#""names":"safe""#))
            // The echo has answered with another id, as `initialize` does.
            #expect(headers[2].contains(#""sid":"session-1""#))
            #expect(headers[3].hasPrefix(#"{"b":"#), "\(headers[3])")
        }
    }

    @Test(arguments: [
        ("GET /sse", ["Accept: application/json"], "", 406), ("GET /sse", ["Content-Length: 2"], "{}", 400),
        ("GET /sse", ["Transfer-Encoding: chunked"], "0\r\n\r\n", 400), ("POST /sse", ["Content-Length: 2"], "{}", 405),
        ("DELETE /sse", [], "", 405), ("GET /messages/", [], "", 405),
        ("POST /messages/", ["Content-Type: application/json", "Content-Length: 2"], "{}", 400),
        ("POST /messages/?session_id=", ["Content-Type: application/json", "Content-Length: 2"], "{}", 404),
        ("POST /messages/?session_id=0", ["Content-Type: text/plain", "Content-Length: 2"], "{}", 415),
        ("GET /sse", ["Origin: http://evil.example"], "", 403), ("GET /sse", ["X-Forwarded-For: 192.0.2.1"], "", 401),
        ("GET /sse", ["X-Forwarded-Prefix: /a"], "", 401),
    ])
    func `what is not served is refused in JSON-RPC`(line: String, fields: [String], body: String, status: Int)
        async throws
    {
        try await FrontFixture.run(answer: Self.answer) { front in
            let client = try await front.connect()
            try await client.send(HTTPText.request(line, fields, body: body))
            let reply = try await client.reply()
            #expect(reply.status == status)
            let error = try JSONText(validating: ByteBuffer(string: reply.body)).value("error")
            #expect(error?.value("data")?.string("code") != nil)
            #expect(try await front.onLoop { $0.session.value.exchanges.isEmpty })
        }
    }

    @Test func `messages without the slash are no session's`() async throws {
        try await FrontFixture.run(answer: Self.answer) { front in
            let (_, path) = try await Self.open(front)
            let other = path.replacing("/messages/?", with: "/messages?")
            let reply = try await Self.post(front, other, HTTPText.call(1))
            #expect(reply.status == 400 && reply.body.hasPrefix(#"{"type":"error""#), "it is a path of the model APIs")
        }
    }

    @Test func `a session is nobody else's`() async throws {
        try await FrontFixture.run(answer: Self.answer) { front in
            let (_, path) = try await Self.open(front)
            let local = try await front.connectLocally()
            try await local.send(HTTPText.post(HTTPText.call(1), path: path))
            let reply = try await local.reply()
            #expect(reply.status == 404)
            #expect(reply.body.contains(#""code":"unknown_session""#))
        }
    }

    @Test func `what is no message is refused, unless its id says who waits`() async throws {
        try await FrontFixture.run(answer: Self.answer) { front in
            let (stream, path) = try await Self.open(front)
            let broken = try await Self.post(front, path, "{")
            #expect(broken.status == 400)
            #expect(broken.body.contains(#""code":"parse_error""#) && broken.body.contains(#""id":null"#))
            #expect(try await Self.post(front, path, #"{"jsonrpc":"1.0","id":7,"method":"x"}"#).status == 202)
            let told = try await stream.chunk() ?? ""
            #expect(told.contains(#""id":7,"#) && told.contains(#""code":"invalid_request""#))
        }
    }

    @Test func `what the session worker refuses as a whole, each request is told`() async throws {
        let refusing: FakeSession.Answer = { exchange, header, payload in
            if header.string("op") == "sse" { return Self.answer(exchange, header, payload) }
            let error = #"{"jsonrpc":"2.0","error":{"code":-32600,"message":"m"}}"#
            exchange.end(header: SessionEnd(400).text, payload: ByteBuffer(string: error))
        }
        try await FrontFixture.run(answer: refusing) { front in
            let (stream, path) = try await Self.open(front)
            let batch = "[\(HTTPText.call(1)),\(HTTPText.call(2))]"
            #expect(try await Self.post(front, path, batch).status == 202)
            var told = ""
            while !told.contains(#""id":2,"#) { told += try await stream.chunk() ?? "" }
            #expect(told.contains(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"m"}}"#))
        }
    }

    @Test func `events of a request go to the stream, and what is owed when its worker dies`() async throws {
        let answer: FakeSession.Answer = { exchange, header, payload in
            if header.string("op") == "sse" { return Self.answer(exchange, header, payload) }
            exchange.send(header: .parse("{}"), payload: ByteBuffer(string: #"{"note":1}"#))
        }
        try await FrontFixture.run(answer: answer) { front in
            let (stream, path) = try await Self.open(front)
            _ = try await Self.post(front, path, HTTPText.call(1))
            #expect(try await stream.chunk() == Self.message(#"{"note":1}"#))
            try await front.onLoop { $0.session.value.die() }
            let told = try await stream.chunk() ?? ""
            #expect(told.contains(#""id":1,"#) && told.contains(#""code":"outcome_unknown""#))
        }
    }

    @Test func `a question comes on the stream, and its answer goes to the session worker as any message does`()
        async throws
    {
        let question = #"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#
        let answer = #"{"jsonrpc":"2.0","id":"q","result":{"roots":[]}}"#
        let asking: FakeSession.Answer = { exchange, header, payload in
            guard payload?.string("method") == "tools/call" else { return Self.answer(exchange, header, payload) }
            exchange.send(header: .parse("{}"), payload: ByteBuffer(string: question))
        }
        try await FrontFixture.run(answer: asking) { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let (stream, path) = try await Self.open(front)
            _ = try await Self.post(front, path, HTTPText.call(1))
            #expect(try await stream.chunk() == Self.message(question))
            #expect(try await Self.post(front, path, answer).status == 202)
            for _ in 0..<2 { _ = await events.next() }
            guard case .opened(let header, let payload) = await events.next() else { return }
            #expect(header.contains(#""sid":"sealed""#) || header.hasPrefix(#"{"b":"#))
            #expect(payload == answer)
        }
    }

    @Test func `the stream goes on when the session worker dies, and its session is known to the next`() async throws {
        try await FrontFixture.run(answer: Self.answer) { front in
            let (stream, path) = try await Self.open(front)
            for number in 1...3 {
                try await front.onLoop { $0.session.value.die() }
                // A list may be asked for again; it waits for the link.
                #expect(try await Self.post(front, path, HTTPText.call(number, "ping")).status == 202)
                let told = try await stream.chunk() ?? ""
                #expect(told.contains(#""id":\#(number),"result""#))
            }
            let headers = try await front.onLoop { $0.session.value.exchanges.map(\.header.description) }
            let streams = headers.filter { $0.contains(#""op":"sse""#) }
            #expect(streams.count == 4)
            #expect(streams[1].contains(#""sid":"sealed""#) && streams[3].contains(#""sid":"session-1""#))
        }
    }

    @Test func `its end is the session's end: what is under way is cancelled`() async throws {
        try await FrontFixture.run(answer: Self.answer) { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let (stream, path) = try await Self.open(front)
            _ = try await Self.post(front, path, HTTPText.call(1, "hang"))
            for _ in 0..<2 { guard case .opened = await events.next() else { return } }
            try await stream.close()
            var failures: Set<String> = []
            for _ in 0..<2 { if case .failed(.cancelled(let reason)) = await events.next() { failures.insert(reason) } }
            #expect(failures == ["client gone", "stream ended"])
            #expect(try await Self.post(front, path, HTTPText.call(2)).status == 404)
            #expect(try await front.onLoop { $0.worker.state.value.streamed.count } == 0)
            #expect(try await front.onLoop { $0.worker.state.value.metrics.openStreams } == 0)
        }
    }

    @Test func `a session that the session worker does not know any more ends its stream`() async throws {
        let answer: FakeSession.Answer = { exchange, header, payload in
            if header.string("op") == "sse" { return Self.answer(exchange, header, payload) }
            exchange.end(
                header: SessionEnd(404).text,
                payload: ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"m"}}"#))
        }
        try await FrontFixture.run(answer: answer) { front in
            let (stream, path) = try await Self.open(front)
            _ = try await Self.post(front, path, HTTPText.call(1))
            #expect(try await stream.chunk()?.contains(#""id":1,"error""#) == true)
            #expect(try await stream.chunk() == nil)
            #expect(try await Self.post(front, path, HTTPText.call(1)).status == 404)
        }
    }
}
