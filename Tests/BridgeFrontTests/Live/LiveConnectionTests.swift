import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Connections", .timeLimit(.minutes(1))) struct LiveConnectionTests {
    @Test(arguments: [true, false])
    func `a client that goes away lets go of its call, which is done all the same`(onlyHalf: Bool) async throws {
        try await FrontFixture.run { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1, "hang")))
            guard case .opened = await events.next() else { return }
            if onlyHalf { try await client.closeOutput() } else { try await client.close() }
            #expect(await events.next() == .ended)
        }
    }

    @Test func `a client that leaves a stream lets go of it too`() async throws {
        try await FrontFixture.run(answer: { exchange, _, _ in exchange.send(header: .parse(#"{"open":true}"#)) }) {
            front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let client = try await front.connect()
            try await client.send(HTTPText.request("GET /mcp", ["Accept: text/event-stream", "Mcp-Session-Id: s"]))
            _ = try await client.head()
            guard case .opened = await events.next() else { return }
            try await client.close()
            #expect(await events.next() == .ended)
        }
    }

    @Test func `a body that is cut off is never taken for a whole one`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            let call = HTTPText.call(1)
            let fields = [
                "Accept: */*", "Content-Type: application/json", "Transfer-Encoding: chunked",
            ]
            let body = "\(String(call.utf8.count, radix: 16))\r\n\(call)\r\n"
            try await client.send(HTTPText.request("POST /mcp", fields, body: body))
            try await client.closeOutput()
            _ = await client.end()
            #expect(try await front.onLoop { $0.session.value.exchanges.count } == 0)
        }
    }

    @Test func `a client that waits for leave to send its body gets it`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            let call = HTTPText.call(1)
            let fields = [
                "Accept: */*", "Content-Type: application/json", "Content-Length: \(call.utf8.count)",
                "Expect: 100-continue",
            ]
            try await client.send(HTTPText.request("POST /mcp", fields))
            #expect(try await client.head().status == 100)
            try await client.send(call)
            #expect(try await client.reply().status == 200)
        }
    }

    @Test(arguments: [
        "GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: Close\r\n\r\n",
        "GET /health/live HTTP/1.0\r\nHost: localhost\r\n\r\n",
    ])
    func `a connection is closed when the client wants it`(request: String) async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(request)
            let reply = try await client.reply()
            #expect(reply.status == 200)
            #expect(reply.value("connection") == "close")
            #expect(await client.end() == "")
        }
    }

    @Test func `pipelined requests are answered in order`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send((1...20).map { HTTPText.post(HTTPText.call($0)) }.joined())
            for id in 1...20 { #expect(try await client.reply().body.contains("\"id\":\(id),")) }
        }
    }

    @Test func `a pipelined request that is broken does not cost the one before it its answer`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)) + "\u{1}\u{2}\r\n\r\n")
            #expect(try await client.reply().body.contains("\"id\":1,"))
            _ = await client.end()
        }
    }

    // MARK: Slow clients

    @Test func `a head that does not come to its end is refused`() async throws {
        try await FrontFixture.run(configure: { $0.limits.headerTimeout = 1 }) { front in
            let client = try await front.connect()
            try await client.send("GET /health HTTP/1.1\r\nHost: loc")
            let reply = try await client.reply()
            #expect(reply.status == 408)
            #expect(reply.body.contains("request_timeout"))
            #expect(await client.end() == "")
        }
    }

    @Test func `a body that does not come to its end is refused`() async throws {
        try await FrontFixture.run(configure: { $0.limits.bodyTimeout = 0.05 }) { front in
            let client = try await front.connect()
            let fields = ["Accept: */*", "Content-Type: application/json", "Content-Length: 100"]
            try await client.send(HTTPText.request("POST /mcp", fields, body: "{"))
            #expect(try await client.reply().status == 408)
            #expect(await client.end() == "")
        }
    }

    @Test(arguments: [false, true])
    func `a connection that asks for nothing is closed without a word`(afterOne: Bool) async throws {
        try await FrontFixture.run(configure: {
            $0.limits.headerTimeout = afterOne ? 20 : 0.05
            $0.limits.idleTimeout = 0.05
        }) { front in
            let client = try await front.connect()
            if afterOne {
                try await client.send(HTTPText.request("GET /health/live"))
                _ = try await client.reply()
            }
            #expect(await client.end() == "")
        }
    }

    @Test func `a client that reads nothing is closed and its call let go`() async throws {
        let answer: FakeSession.Answer = { exchange, _, _ in
            let message = ByteBuffer(string: "\"\(String(repeating: "x", count: 200 << 10))\"")
            for _ in 0..<400 { exchange.send(header: .parse("{}"), payload: message) }
        }
        try await FrontFixture.run(answer: answer, configure: { $0.limits.slowReadTimeout = 0.05 }) { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let client = try await front.connect(reading: false)
            try await client.send(HTTPText.post(HTTPText.call(1)))
            guard case .opened = await events.next() else { return }
            #expect(await events.next() == .ended)
        }
    }

    // MARK: Memory

    private static let large: FakeSession.Answer = { exchange, _, payload in
        let id = payload?.value("id")?.description ?? "null"
        let text = String(repeating: "x", count: 12 << 20)
        let reply = #"{"jsonrpc":"2.0","id":\#(id),"result":{"text":"\#(text)"}}"#
        exchange.end(header: .parse(#"{"st":200}"#), payload: ByteBuffer(string: reply))
    }

    @Test func `of clients that do not read their answers, as many are closed as there is no room for`() async throws {
        try await FrontFixture.run(answer: Self.large, configure: { $0.limits.maximumHeldBytes = 20 << 20 }) { front in
            var waiting: [RawClient] = []
            for id in 1...4 {
                let client = try await front.connect(reading: false)
                try await client.send(HTTPText.post(HTTPText.call(id)))
                waiting.append(client)
                try await front.until { $0.session.value.exchanges.count == id }
            }
            try await front.until {
                let table = $0.worker.state.value.table
                return table.count == 1 && table.payloads.answers > 12 << 20
            }
            let held = try await front.onLoop { $0.worker.state.value.table.payloads.answers }
            #expect(held <= 20 << 20)
            var whole = 0
            for client in waiting {
                try await client.startReading()
                if (try? await client.reply()) != nil { whole += 1 }
            }
            #expect(whole == 1)
            try await front.until { $0.worker.state.value.table.payloads.answers == 0 }
        }
    }

    @Test func `a body that there is no room for is refused, and a small one is not`() async throws {
        try await FrontFixture.run(configure: { $0.limits.maximumHeldBytes = 100_000 }) { front in
            func body(_ octets: Int) -> String {
                let text = String(repeating: "x", count: octets)
                return #"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"text":"\#(text)"}}"#
            }
            let refused = try await front.connect()
            try await refused.send(HTTPText.post(body(60_000)))
            let refusal = try await refused.reply()
            #expect(refusal.status == 503)
            #expect(refusal.body.contains(#""overloaded""#) && refusal.body.contains("limits.heldBytes"))
            for text in [body(40_000), HTTPText.call(3)] {
                let client = try await front.connect()
                try await client.send(HTTPText.post(text))
                #expect(try await client.reply().status == 200)
            }
            try await front.until { $0.worker.state.value.bodies.held == 0 }
        }
    }

    /// The times are shortened afterwards, so that a slow machine does not use them up before.
    private static func shorten(_ front: FrontFixture, _ change: (inout FrontLimits) -> Void) async throws {
        var configuration = front.configuration
        change(&configuration.limits)
        let changed = configuration
        try await front.onLoop { $0.worker.reconfigure(changed) }
    }

    /// The idle time would be a minute and more.
    @Test(arguments: ["P", "POST /mcp HTTP/1.1\r\nHost: localhost\r\n"])
    func `a head that began with the end of the request before it has the time of a head`(beginning: String)
        async throws
    {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)) + beginning)
            #expect(try await client.reply().status == 200)
            try await Self.shorten(front) { $0.headerTimeout = 0.1 }
            #expect(try await client.reply().status == 408)
            #expect(await client.end() == "")
        }
    }

    @Test func `a connection that has been answered rests for the idle time and is closed without a word`() async throws
    {
        try await FrontFixture.run { front in
            let first = try await front.connect()
            try await first.send(HTTPText.post(HTTPText.call(1)))
            #expect(try await first.reply().status == 200)
            let second = try await front.connect()
            try await second.send(HTTPText.request("GET /health/live"))
            #expect(try await second.reply().status == 200)
            try await Self.shorten(front) {
                $0.headerTimeout = 0.1
                $0.idleTimeout = 0.2
            }
            #expect(await first.end() == "")
            #expect(await second.end() == "")
        }
    }

    // MARK: Many

    @Test func `the longest idle connection makes room`() async throws {
        try await FrontFixture.run(configure: { $0.limits.maximumConnections = 2 }) { front in
            let first = try await front.connect()
            try await first.send(HTTPText.request("GET /health/live"))
            _ = try await first.reply()
            let second = try await front.connect()
            try await second.send(HTTPText.request("GET /health/live"))
            _ = try await second.reply()
            let third = try await front.connect()
            try await third.send(HTTPText.request("GET /health/live"))
            #expect(try await third.reply().status == 200)
            #expect(await first.end() == "")
            try await second.send(HTTPText.request("GET /health/live"))
            #expect(try await second.reply().status == 200)
        }
    }

    @Test func `when all are busy the next one is told so`() async throws {
        try await FrontFixture.run(configure: { $0.limits.maximumConnections = 1 }) { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let busy = try await front.connect()
            try await busy.send(HTTPText.post(HTTPText.call(1, "hang")))
            _ = await events.next()
            let next = try await front.connect()
            let reply = try await next.reply()
            #expect(reply.status == 503)
            #expect(reply.value("retry-after") == "1")
            #expect(reply.body.contains("too_many_connections"))
            #expect(await next.end() == "")
            try await front.onLoop { front in
                front.session.value.exchanges[0].end(header: .parse(#"{"st":200}"#), payload: ByteBuffer(string: "{}"))
            }
            #expect(try await busy.reply().status == 200)
        }
    }

    @Test func `a thousand idle connections do not keep the next caller waiting`() async throws {
        // It does not wait for one of the others to be found too slow.
        try await FrontFixture.run(configure: {
            $0.limits.maximumConnections = 64
            $0.limits.headerTimeout = 600
            $0.limits.idleTimeout = 600
        }) { front in
            var idle: [RawClient] = []
            for _ in 0..<1_000 { idle.append(try await front.connect()) }
            let client = try await front.connect()
            try await client.send(HTTPText.post(HTTPText.call(1)))
            #expect(try await client.reply().status == 200)
            for client in idle { try? await client.close() }
        }
    }
}
