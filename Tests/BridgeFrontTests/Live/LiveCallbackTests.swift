import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

@Suite("A browser comes back from a sign-in", .timeLimit(.minutes(1))) struct LiveCallbackTests {
    private static let signedIn = #"{"done":true,"text":"You are signed in to 'git' <b>now</b>."}"#
    private static let query = "code=the-code&state=the-state&iss=https%3A%2F%2Fas"

    private static func ask(_ client: RawClient, _ line: String, _ fields: [String] = []) async throws
        -> RawClient.Reply
    {
        try await client.send(HTTPText.request(line, fields))
        return try await client.reply()
    }

    private static func answer(_ front: FrontFixture, _ status: Int, _ body: String) async throws {
        try await front.onLoop { $0.supervisor.value.answers["oauth"] = (status, body) }
    }

    private static func asked(_ front: FrontFixture) async throws -> [String] {
        try await front.onLoop { $0.supervisor.value.asked.filter { $0.contains("oauth") } }
    }

    @Test func `what it brings is handed on as it came, and the page says in words what came of it`() async throws {
        try await FrontFixture.run { front in
            try await Self.answer(front, 200, Self.signedIn)
            let reply = try await Self.ask(front.connect(), "GET /oauth/callback?\(Self.query)")
            #expect(reply.status == 200)
            #expect(reply.value("content-type") == "text/html; charset=utf-8")
            #expect(reply.value("cache-control") == "no-store" && reply.value("referrer-policy") == "no-referrer")
            #expect(reply.value("content-security-policy")?.hasPrefix("default-src 'none'") == true)
            #expect(reply.body.contains("You are signed in to &#39;git&#39; &lt;b&gt;now&lt;/b&gt;."))
            #expect(!reply.body.contains("the-code") && !reply.body.contains("the-state"))
            let asked = try await Self.asked(front)
            #expect(asked == [#"{"op":"oauth","name":"","do":"redirect","query":"\#(Self.query)"} "#])
        }
    }

    @Test func `a sign-in that failed is told with its reason`() async throws {
        try await FrontFixture.run { front in
            try await Self.answer(front, 409, #"{"done":false,"text":"access_denied: the owner said no."}"#)
            let reply = try await Self.ask(front.connect(), "GET /oauth/callback?error=access_denied&state=s")
            #expect(reply.status == 400 && reply.body.contains("access_denied: the owner said no."))
        }
    }

    @Test func `a program that only looks does not use the answer up, and nothing sent is nothing asked`() async throws
    {
        try await FrontFixture.run { front in
            try await Self.answer(front, 200, Self.signedIn)
            let client = try await front.connect()
            try await client.send(HTTPText.request("HEAD /oauth/callback?\(Self.query)"))
            #expect(try await client.head().status == 200)
            let reply = try await Self.ask(client, "GET /oauth/callback")
            #expect(reply.status == 400)
            #expect(try await Self.asked(front).isEmpty)
        }
    }

    @Test func `it needs no token, through a proxy and where everybody else needs one`() async throws {
        try await FrontFixture.run(configure: { $0.requireToken = .always }) { front in
            try await Self.answer(front, 200, Self.signedIn)
            let forwarded = ["X-Forwarded-For: 203.0.113.7"]
            let reply = try await Self.ask(front.connect(), "GET /oauth/callback?\(Self.query)", forwarded)
            #expect(reply.status == 200)
            let other = try await Self.ask(front.connect(), "GET /servers", forwarded)
            #expect(other.status == 401)
        }
    }

    @Test func `the receiver serves its one path, ends each connection, and is closed with the sign-in`() async throws {
        try await FrontFixture.run { front in
            try await Self.answer(front, 200, Self.signedIn)
            let socket = try TestSocket.listen(SocketAddress(ipAddress: "127.0.0.1", port: 0))
            try await front.loop.flatSubmit { front.worker.receive(socket.descriptor) }.get()
            func client() async throws -> RawClient { try await RawClient.connect(socket.address) }
            for line in ["GET /", "GET /health", "POST /mcp", "GET /oauth/callback?\(Self.query)", "POST /callback"] {
                let reply = try await Self.ask(client(), line)
                #expect(reply.status == 404, "\(line)")
            }
            let browser = try await client()
            let reply = try await Self.ask(browser, "GET /callback?\(Self.query)")
            #expect(reply.status == 200 && reply.value("connection") == "close")
            let port = socket.address.port ?? 0
            try await front.loop.flatSubmit { front.worker.endReceiving(on: port) }.get()
            await #expect(throws: (any Error).self) { try await RawClient.connect(socket.address) }
        }
    }

    @Test func `the receiver's path is none of the service's`() async throws {
        try await FrontFixture.run { front in
            let reply = try await Self.ask(front.connect(), "GET /callback?\(Self.query)")
            #expect(reply.status == 404)
            #expect(try await Self.asked(front).isEmpty)
        }
    }

    @Test func `a page elsewhere, and a name that is not ours, lead nowhere`() async throws {
        try await FrontFixture.run { front in
            try await Self.answer(front, 200, Self.signedIn)
            let line = "GET /oauth/callback?\(Self.query)"
            let stranger = try await front.connect()
            try await stranger.send(HTTPText.request(line).replacing("localhost", with: "evil.example"))
            #expect(try await stranger.reply().status == 403)
            let page = try await Self.ask(front.connect(), line, ["Origin: https://evil.example"])
            #expect(page.status == 403)
            #expect(try await Self.asked(front).isEmpty)
        }
    }
}
