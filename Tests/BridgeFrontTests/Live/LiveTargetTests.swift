import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Whole URLs as targets", .timeLimit(.minutes(1))) struct LiveTargetTests {
    private static func get(_ front: FrontFixture, _ target: String, host: String?, version: String = "1.1")
        async throws
        -> RawClient.Reply
    {
        let client = try await front.connect()
        try await client.send("GET \(target) HTTP/\(version)\r\n\(host.map { "Host: \($0)\r\n" } ?? "")\r\n")
        return try await client.reply()
    }

    @Test(arguments: [
        "/", "/health", "/health/live", "/servers", "/tools", "/metrics", "/nothing", "/health?x=http://y/",
    ])
    func `are served by the router as the path in them is`(path: String) async throws {
        try await FrontFixture.run(answer: { exchange, _, _ in
            exchange.end(header: .parse("{}"), payload: ByteBuffer(string: #"{"tools":{}}"#))
        }) { front in
            let plain = try await Self.get(front, path, host: "LOCALHOST:80")
            let whole = try await Self.get(front, "http://LOCALHOST:80\(path)", host: "localhost")
            #expect(whole.status == plain.status)
            // Metrics differ from one time to the next.
            if path != "/metrics" { #expect(whole.body == plain.body) }
        }
    }

    @Test func `are served on the front's own path, with their query`() async throws {
        try await FrontFixture.run { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let client = try await front.connect()
            for _ in 0..<2 {
                try await client.send(HTTPText.post(HTTPText.call(1), path: "http://localhost/mcp?names=safe"))
                #expect(try await client.reply().status == 200)
                guard case .opened(let header, _) = await events.next() else { return }
                #expect(try JSONText(validating: ByteBuffer(string: header)).string("names") == "safe")
            }
            #expect(try await front.onLoop { $0.worker.state.value.table.withRouter } == 0)
        }
    }

    @Test func `are looked at anew when they change, though Host does not`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            for (target, status) in [
                ("/mcp", 200), ("http://localhost/mcp", 200), ("http://127.0.0.1/mcp", 400),
                ("http://evil.example/mcp", 400),
                ("/mcp", 200), ("http://localhost:81/mcp", 400), ("http://localhost/mcp", 200),
            ] {
                try await client.send(HTTPText.post(HTTPText.call(1), path: target))
                #expect(try await client.reply().status == status, "\(target)")
            }
            #expect(try await front.onLoop { $0.session.value.exchanges.count } == 4)
        }
    }

    @Test(arguments: ["/mcp", "/health", "/servers", "/metrics", "/"])
    func `of a foreign host are refused whatever Host says, also without it`(path: String) async throws {
        try await FrontFixture.run { front in
            let named = try await Self.get(front, "http://evil.example\(path)", host: "evil.example")
            #expect(named.status == 403)
            let other = try await Self.get(front, "http://evil.example\(path)", host: "localhost")
            #expect(other.status == 400)
            let old = try await Self.get(front, "http://evil.example\(path)", host: nil, version: "1.0")
            #expect(old.status == 403)
        }
    }

    @Test func `with the path of the MCP endpoint are refused in its words`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send("PUT http://localhost/mcp HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let reply = try await client.reply()
            #expect(reply.status == 405)
            #expect(reply.body.contains(#""jsonrpc":"2.0""#))
        }
    }

    @Test(arguments: ["//localhost/health", "///health//live", "//evil.example/servers"])
    func `are not what only looks like one`(target: String) async throws {
        try await FrontFixture.run { front in
            let ours = try await Self.get(front, target, host: "localhost")
            let foreign = try await Self.get(front, target, host: "evil.example")
            #expect(ours.status == (target == "///health//live" ? 200 : 404))
            #expect(foreign.status == 403)
        }
    }

    @Test func `a tunnel is refused, and its connection closed`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n")
            let reply = try await client.reply()
            #expect(reply.status == 400)
            #expect(reply.value("connection") == "close")
            #expect(await client.end() == "")
        }
    }

    @Test(arguments: ["/health", "/health/live", "/health/ready"])
    func `a health check of HTTP 1,0 needs no Host`(path: String) async throws {
        try await FrontFixture.run { front in
            for method in ["GET", "HEAD"] {
                let client = try await front.connect()
                try await client.send("\(method) \(path) HTTP/1.0\r\n\r\n")
                let head = try await client.head()
                #expect(head.status == 200 || path == "/health/ready")
                #expect(head.value("connection") == "close")
            }
            #expect(try await Self.get(front, path, host: nil).status == 400)
            #expect(try await Self.get(front, "/servers", host: nil, version: "1.0").status == 400)
        }
    }
}
