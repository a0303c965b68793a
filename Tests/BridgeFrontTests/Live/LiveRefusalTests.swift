import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Refusals over HTTP", .timeLimit(.minutes(1))) struct LiveRefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let request: String
        let status: Int
        let code: String
        var closes = false
        var testDescription: String { self.name }
    }

    private static let ping = HTTPText.call(1, "ping")
    private static let json = "Content-Type: application/json"
    private static let both = "Accept: application/json, text/event-stream"

    static let mcp: [Case] = [
        Case(
            name: "JSON alone is accepted",
            request: HTTPText.request(
                "POST /mcp", [json, "Accept: application/json", "Content-Length: 2"], body: "{}"),
            status: 406, code: "not_acceptable"
        ),
        Case(
            name: "a form",
            request: HTTPText.request(
                "POST /mcp", [both, "Content-Type: text/plain", "Content-Length: 2"], body: "{}"),
            status: 415, code: "unsupported_media_type"
        ),
        Case(
            name: "a body that is announced too long",
            request: HTTPText.request("POST /mcp", [both, json, "Content-Length: 5000"]),
            status: 413, code: "payload_too_large", closes: true
        ),
        Case(
            name: "a body that becomes too long",
            request: HTTPText.request(
                "POST /mcp", [both, json, "Transfer-Encoding: chunked"],
                body: "1000\r\n\(String(repeating: " ", count: 4096))\r\n1\r\n \r\n"
            ),
            status: 413, code: "payload_too_large", closes: true
        ),
        Case(name: "no JSON", request: HTTPText.post("{"), status: 400, code: "parse_error"),
        Case(name: "invalid UTF-8", request: HTTPText.post("{\"a\":\"\\ud800\""), status: 400, code: "parse_error"),
        Case(
            name: "deep nesting", request: HTTPText.post(String(repeating: "[", count: 2000)), status: 400,
            code: "parse_error"
        ),
        Case(name: "no message", request: HTTPText.post("[]"), status: 400, code: "invalid_request"),
        Case(
            name: "an unknown revision", request: HTTPText.post(ping, ["MCP-Protocol-Version: 1999-01-01"]),
            status: 400,
            code: "unsupported_protocol_version"
        ),
        Case(name: "PUT", request: HTTPText.request("PUT /mcp"), status: 405, code: "method_not_allowed"),
        Case(
            name: "GET without a session", request: HTTPText.request("GET /mcp", ["Accept: text/event-stream"]),
            status: 400, code: "session_required"
        ),
        Case(
            name: "GET as JSON", request: HTTPText.request("GET /mcp", ["Accept: application/json"]), status: 406,
            code: "not_acceptable"),
        Case(
            name: "DELETE without a session", request: HTTPText.request("DELETE /mcp"), status: 400,
            code: "session_required"),
        Case(
            name: "a foreign origin", request: HTTPText.post(ping, ["Origin: https://evil.example"]), status: 403,
            code: "origin_not_allowed"
        ),
        Case(
            name: "a remote origin", request: HTTPText.post(ping, ["Origin: https://claude.ai"]), status: 401,
            code: "token_required"
        ),
        Case(
            name: "a forwarded request", request: HTTPText.post(ping, ["X-Forwarded-For: 127.0.0.1"]), status: 401,
            code: "token_required"
        ),
        Case(
            name: "two sessions", request: HTTPText.post(ping, ["Mcp-Session-Id: a", "Mcp-Session-Id: b"]), status: 400,
            code: "bad_request"
        ),
    ]

    @Test(arguments: mcp)
    func `a request for MCP is refused in JSON-RPC`(refused: Case) async throws {
        try await FrontFixture.run(configure: { $0.limits.maximumBodyBytes = 4096 }) { front in
            let client = try await front.connect()
            try await client.send(refused.request)
            let reply = try await client.reply()
            #expect(reply.status == refused.status)
            let body = try JSONText(validating: ByteBuffer(string: reply.body))
            #expect(body.string("jsonrpc") == "2.0")
            #expect(body.value("error")?.value("data")?.string("code") == refused.code)
            if reply.status == 405 { #expect(reply.value("allow") == "GET, POST, DELETE") }
            if reply.status == 401 { #expect(reply.value("www-authenticate")?.hasPrefix("Bearer") == true) }
            #expect((reply.value("connection") == "close") == refused.closes)
            if refused.closes {
                #expect(await client.end() == "")
            } else {
                try await client.send(HTTPText.request("GET /health/live"))
                #expect(try await client.reply().status == 200)
            }
        }
    }

    static let others: [Case] = [
        Case(name: "no route", request: HTTPText.request("GET /favicon.ico"), status: 404, code: "not_found"),
        Case(
            name: "no such method", request: HTTPText.request("POST /health"), status: 405, code: "method_not_allowed"),
        Case(
            name: "a foreign host", request: "GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", status: 403,
            code: "host_not_allowed"
        ),
        Case(name: "no host", request: "GET /health HTTP/1.1\r\n\r\n", status: 400, code: "bad_request"),
        Case(
            name: "two hosts", request: "GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
            status: 400,
            code: "bad_request"
        ),
        Case(
            name: "a target of another scheme", request: HTTPText.request("GET https://localhost/health"), status: 400,
            code: "bad_request"
        ),
        Case(
            name: "a target of another host", request: HTTPText.request("GET http://127.0.0.1/health"), status: 400,
            code: "bad_request"
        ),
        Case(
            name: "a remote page wants the reasons",
            request: HTTPText.request("GET /health/ready", ["Origin: https://claude.ai"]),
            status: 401, code: "token_required"
        ),
        Case(name: "no HTTP", request: "HELLO\r\n\r\n", status: 400, code: "bad_request", closes: true),
        Case(
            name: "long headers",
            request: HTTPText.request("GET /health", ["X: \(String(repeating: "x", count: 70_000))"]),
            status: 431, code: "header_too_large", closes: true
        ),
    ]

    @Test(arguments: others)
    func `any other request is refused in JSON`(refused: Case) async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(refused.request)
            let reply = try await client.reply()
            #expect(reply.status == refused.status)
            let body = try JSONText(validating: ByteBuffer(string: reply.body))
            #expect(body.value("error")?.string("code") == refused.code)
            #expect((reply.value("connection") == "close") == refused.closes)
        }
    }

    @Test func `an error keeps the id of the request that it answers`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(#"{"id":"x","method":"ping"}"#))
            #expect(try await client.reply().body.contains(#""id":"x""#))
        }
    }

    @Test func `a preflight is answered for allowed origins only`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.request("OPTIONS /mcp", ["Origin: https://claude.ai"]))
            let allowed = try await client.head()
            #expect(allowed.status == 204)
            #expect(allowed.value("access-control-allow-origin") == "https://claude.ai")
            #expect(allowed.value("access-control-allow-credentials") == "false")
            #expect(allowed.value("access-control-allow-methods") == "GET,POST,DELETE,OPTIONS")
            #expect(allowed.value("vary") == "Origin")
            try await client.send(HTTPText.request("OPTIONS /mcp", ["Origin: https://evil.example"]))
            let refused = try await client.reply()
            #expect(refused.status == 403)
            #expect(refused.value("access-control-allow-origin") == nil)
        }
    }

    @Test func `a page of this machine gets its headers`() async throws {
        try await FrontFixture.run { front in
            let client = try await front.connect()
            try await client.send(HTTPText.post(Self.ping, ["Origin: http://localhost:3000"]))
            let reply = try await client.reply()
            #expect(reply.status == 200)
            #expect(reply.value("access-control-allow-origin") == "http://localhost:3000")
            #expect(reply.value("access-control-expose-headers")?.hasPrefix("MCP-Session-Id,WWW-Authenticate,") == true)
        }
    }
}
