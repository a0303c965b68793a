import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

/// What is refused by its head is refused before its body has come.
@Suite("Refusals by the head", .timeLimit(.minutes(1))) struct LiveEarlyRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let line: String
        let fields: [String]
        let status: Int
        var testDescription: String { "\(self.status) \(self.line) \(self.fields)" }
    }

    private static let both = "Accept: application/json, text/event-stream"
    private static let json = "Content-Type: application/json"
    private static let host = "Host: localhost"

    static let cases: [Case] = [
        Case(line: "POST /mcp", fields: ["Host: evil.example", both, json], status: 403),
        Case(line: "POST /mcp", fields: [host, both, json, "Origin: https://evil.example"], status: 403),
        Case(line: "POST /mcp", fields: [host, both, json, "Via: 1.1 x"], status: 401),
        Case(line: "POST /mcp", fields: [host, both, "Content-Type: text/plain"], status: 415),
        Case(line: "POST /mcp", fields: [host, both, json, "Content-Encoding: gzip"], status: 415),
        Case(line: "POST /mcp", fields: [host, json, "Accept: text/html"], status: 406),
        Case(line: "POST /mcp", fields: [host, both, json, "MCP-Protocol-Version: 1"], status: 400),
        Case(line: "POST http://h/mcp", fields: [host, both, json], status: 400),
        Case(line: "POST /nothing", fields: [host, both, json], status: 404),
        Case(line: "PUT /mcp", fields: [host, both, json], status: 405),
        Case(line: "POST /health", fields: [host, both, json], status: 405),
        Case(line: "POST /servers", fields: [host, both, json], status: 403),
    ]

    private static func head(_ refused: Case, _ more: [String]) -> String {
        (["\(refused.line) HTTP/1.1"] + refused.fields + more).joined(separator: "\r\n") + "\r\n\r\n"
    }

    private static func check(_ reply: RawClient.Reply, _ refused: Case) throws {
        #expect(reply.status == refused.status)
        let body = try JSONText(validating: ByteBuffer(string: reply.body))
        #expect(body.value("id") == nil)
        if refused.line.contains("/mcp") { #expect(body.string("jsonrpc") == "2.0") }
    }

    @Test(arguments: cases)
    func `a short body is read afterwards, and the connection kept`(refused: Case) async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            let body = HTTPText.call(7)
            try await client.send(Self.head(refused, ["Content-Length: \(body.utf8.count)"]))
            let reply = try await client.reply()  // before a byte of the body has been sent
            try Self.check(reply, refused)
            #expect(reply.value("connection") == nil)
            try await client.send(String(body.prefix(10)))
            try await client.send(body.dropFirst(10) + HTTPText.request("GET /health/live"))
            #expect(try await client.reply().body == #"{"live":true}"#)
            #expect(try await front.onLoop { $0.session.value.exchanges.count } == 0)
        }
    }

    @Test(arguments: cases, ["Content-Length: 70000", "Transfer-Encoding: chunked"])
    func `a long body is not waited for`(refused: Case, framing: String) async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(Self.head(refused, [framing]))
            let reply = try await client.reply()
            try Self.check(reply, refused)
            #expect(reply.value("connection") == "close")
            #expect(await client.end() == "")
        }
    }

    @Test func `a body that is too long by its head is not waited for, and the limit is named`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            let refused = Case(line: "POST /mcp", fields: [Self.host, Self.both, Self.json], status: 413)
            try await client.send(Self.head(refused, ["Content-Length: 5000000"]))
            let reply = try await client.reply()
            try Self.check(reply, refused)
            #expect(reply.body.contains("limits.bodyBytes"))
            #expect(reply.value("connection") == "close")
            #expect(await client.end() == "")
        }
    }

    /// Nobody knows whether it sends its body all the same: what comes next must not be taken for it, nor it for a request.
    @Test(arguments: cases)
    func `a client that waits for leave gets none, and its connection is closed`(refused: Case) async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(Self.head(refused, ["Content-Length: 20", "Expect: 100-continue"]))
            let reply = try await client.reply()  // no 100 before it
            try Self.check(reply, refused)
            #expect(reply.value("connection") == "close")
            try? await client.send(HTTPText.post(HTTPText.call(1)))
            #expect(await client.end() == "")
            #expect(try await front.onLoop { $0.session.value.exchanges.count } == 0)
        }
    }

    @Test(arguments: cases)
    func `a body that never comes costs its own connection`(refused: Case) async throws {
        try await FrontFixture.run(configure: { $0.limits.bodyTimeout = 0.05 }) { front in
            let client = try await front.connect()
            try await client.send(Self.head(refused, ["Content-Length: 20"]))
            try Self.check(try await client.reply(), refused)
            #expect(await client.end() == "")
        }
    }

    @Test(arguments: cases)
    func `whoever has sent all of it loses nothing`(refused: Case) async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            let body = HTTPText.call(7)
            let whole = Self.head(refused, ["Content-Length: \(body.utf8.count)", "Expect: 100-continue"]) + body
            try await client.send(whole + whole)
            for _ in 0..<2 { try Self.check(try await client.reply(), refused) }
            try await client.send(HTTPText.request("GET /health/live"))
            #expect(try await client.reply().status == 200)
        }
    }

    // MARK: Bodies that are looked at

    private static func body(_ text: String, _ fields: [String] = []) async throws -> JSONText {
        var body = JSONText.null
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(text, fields))
            let reply = try await client.reply()
            #expect(reply.status == 400)
            body = try JSONText(validating: ByteBuffer(string: reply.body))
        }
        return body
    }

    @Test(
        arguments: [
            (#"{"id":7,"method":"x"}"#, "7"), (#"{"id":"a","jsonrpc":"1.0","method":"x"}"#, #""a""#),
            (#"{"id":-0.5e1,"jsonrpc":"2.0"}"#, nil), ("{", nil), ("[]", nil),
            (#"{"id":{},"jsonrpc":"2.0","method":"x"}"#, nil),
            (#"[{"id":7,"method":"x"}]"#, nil), ("", nil), (#"{"id":7,"id":8,"method":"x"}"#, nil),
        ] as [(String, String?)])
    func `an error has the id of its request, or none`(text: String, id: String?) async throws {
        #expect(try await Self.body(text).value("id")?.description == id)
        let newest = try await Self.body(text, ["Mcp-Session-Id: s", "MCP-Protocol-Version: 2025-11-25"])
        #expect(newest.value("id")?.description == id)
        for fields in [["Mcp-Session-Id: s"], ["Mcp-Session-Id: s", "MCP-Protocol-Version: 2025-06-18"]] {
            #expect(try await Self.body(text, fields).value("id")?.description == id ?? "null")
        }
    }

    @Test func `a body that stops is told so in the words of its endpoint`() async throws {
        try await FrontFixture.run(configure: { $0.limits.bodyTimeout = 0.05 }) { front in
            for path in ["/mcp", "/servers"] {
                let client = try await front.connectLocally()
                let fields = [Self.both, Self.json, "Content-Length: 100"]
                try await client.send(HTTPText.request("POST \(path)", fields, body: "{"))
                let reply = try await client.reply()
                #expect(reply.status == 408)
                let body = try JSONText(validating: ByteBuffer(string: reply.body))
                #expect(body.string("jsonrpc") == (path == "/mcp" ? "2.0" : nil))
                #expect(body.value("id") == nil)
                #expect(await client.end() == "")
            }
        }
    }

    // MARK: Sessions

    @Test(arguments: ["", "a b", "x", String(repeating: "x", count: 2_000), "\u{e9}", "a\tb"])
    func `whose session it is, the session worker says, also where it can be nobody's`(id: String) async throws {
        try await FrontFixture.run { front in
            var events = try await front.onLoop { $0.session.value.events }.makeAsyncIterator()
            let client = try await front.connect()
            for _ in 0..<2 {
                try await client.send(HTTPText.post(HTTPText.call(1, "initialize"), ["Mcp-Session-Id: \(id)"]))
                #expect(try await client.reply().status == 200)
                guard case .opened(let header, _) = await events.next() else { return }
                let sid = try JSONText(validating: ByteBuffer(string: header)).string("sid")
                #expect(sid == (id == "x" ? "x" : ""))
            }
        }
    }
}
