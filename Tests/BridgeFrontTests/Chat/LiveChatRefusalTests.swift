import BridgeAccess
import BridgeChat
import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

@Suite("Refusals of the model APIs, in each dialect", .timeLimit(.minutes(1))) struct LiveChatRefusalTests {
    /// Something that is refused, whoever answers.
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let status: Int
        let word: String
        var closes = false
        let request: @Sendable (ChatDialect, ChatFixture) -> String
        var testDescription: String { self.name }
    }

    private static func ask(_ dialect: ChatDialect, _ fixture: ChatFixture, _ fields: [String] = []) -> String {
        fixture.ask(dialect, ChatFixture.body(dialect), fields)
    }

    private static func without(_ dialect: ChatDialect, _ fields: [String]) -> String {
        HTTPText.post(ChatFixture.body(dialect), fields, path: ChatTarget.ask(dialect).name)
    }

    static let cases: [Case] = [
        Case(name: "no token", status: 401, word: "invalid_api_key") { dialect, _ in
            Self.without(dialect, ["X-Forwarded-For: 1.2.3.4"])
        },
        Case(name: "a token that is none", status: 401, word: "invalid_api_key") { dialect, _ in
            Self.without(dialect, ["x-api-key: \(TokenSecret.random().text)"])
        },
        Case(name: "a foreign host", status: 403, word: "not_allowed") { dialect, fixture in
            Self.ask(dialect, fixture).replacing("Host: localhost", with: "Host: evil.example")
        },
        Case(name: "a foreign origin", status: 403, word: "not_allowed") { dialect, fixture in
            Self.ask(dialect, fixture, ["Origin: https://evil.example"])
        },
        Case(name: "a path that is none", status: 404, word: "not_found") { dialect, fixture in
            let path = ChatTarget.ask(dialect).name
            return fixture.ask(dialect, "{}", path: path + path.dropFirst(3))
        },
        Case(name: "GET", status: 405, word: "method_not_allowed") { dialect, fixture in
            fixture.get(ChatTarget.ask(dialect).name)
        },
        Case(name: "a body that is announced too long", status: 413, word: "request_too_large", closes: true) {
            dialect, fixture in
            HTTPText.request(
                "POST \(ChatTarget.ask(dialect).name)",
                ["Authorization: Bearer \(fixture.secret)", "Content-Type: application/json", "Content-Length: 70000"])
        },
        Case(name: "a body that becomes too long", status: 413, word: "request_too_large", closes: true) {
            dialect, fixture in
            HTTPText.request(
                "POST \(ChatTarget.ask(dialect).name)",
                [
                    "Authorization: Bearer \(fixture.secret)", "Content-Type: application/json",
                    "Transfer-Encoding: chunked",
                ], body: "10001\r\n\(String(repeating: " ", count: 0x10001))\r\n0\r\n\r\n")
        },
        Case(name: "a form", status: 415, word: "unsupported_media_type") { dialect, fixture in
            Self.ask(dialect, fixture).replacing("application/json\r\n", with: "text/plain\r\n")
        },
        Case(name: "a compressed body", status: 415, word: "unsupported_media_type") { dialect, fixture in
            Self.ask(dialect, fixture, ["Content-Encoding: gzip"])
        },
        Case(name: "no JSON", status: 400, word: "invalid_request") { dialect, fixture in fixture.ask(dialect, "{") },
        Case(name: "no model", status: 400, word: "invalid_request") { dialect, fixture in fixture.ask(dialect, "{}") },
        Case(name: "what nobody here can do", status: 400, word: "unsupported_value") { dialect, fixture in
            let image =
                dialect == .messages
                ? #"{"type":"image","source":{"type":"url","url":"https://x"}}"#
                : dialect == .responses
                    ? #"{"type":"input_image","image_url":"https://x"}"#
                    : #"{"type":"image_url","image_url":{"url":"https://x"}}"#
            return fixture.ask(
                dialect, ChatFixture.body(dialect).replacing(#""hello there""#, with: "[\(image)]"))
        },
    ]

    private static func check(_ refused: Case, _ dialect: ChatDialect, _ reply: RawClient.Reply) throws {
        #expect(reply.status == refused.status)
        #expect(reply.value("content-type") == "application/json")
        #expect(try reply.word(dialect) == refused.word)
        let error = try #require(try reply.json.value("error"))
        #expect(error.string("message")?.isEmpty == false)
        let id = try #require(reply.value(dialect == .messages ? "request-id" : "x-request-id"))
        if dialect == .messages {
            #expect(try reply.json.string("type") == "error" && reply.json.string("request_id") == id)
        } else {
            #expect(error.string("type") != nil && error.member(named: "param") != nil)
        }
        switch refused.status {
        case 401:
            #expect(reply.value("www-authenticate") == "Bearer")
            #expect(reply.value("x-should-retry") == "false")
        case 405: #expect(reply.value("allow") == "POST")
        case 413: #expect(error.string("message")?.contains("65536") == true)
        case 404: #expect(error.string("message")?.contains("http://localhost/v1 ") == true)
        default: break
        }
        #expect((reply.value("connection") == "close") == refused.closes)
    }

    @Test(arguments: cases, ChatDialect.allCases)
    func `a request is refused in its dialect`(refused: Case, dialect: ChatDialect) async throws {
        try await ChatFixture.run(configure: { $0.limits.maximumChatBytes = 65_536 }) { fixture in
            let client = try await fixture.front.connect()
            try await client.send(refused.request(dialect, fixture))
            try Self.check(refused, dialect, try await client.reply())
            guard !refused.closes else { return }
            // The connection goes on, and so does its client.
            try await client.send(fixture.ask(dialect, ChatFixture.body(dialect)))
            #expect(try await client.reply().status == 200)
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `a token without the scope, or without the model`(dialect: ChatDialect) async throws {
        for (scope, models, word) in [("mcp", nil, "not_allowed"), ("chat", "gpt-*", "model_not_allowed")] {
            try await ChatFixture.run(scope: scope, models: models) { fixture in
                let client = try await fixture.front.connect()
                try await client.send(fixture.ask(dialect, ChatFixture.body(dialect)))
                let reply = try await client.reply()
                #expect(reply.status == 403)
                #expect(try reply.word(dialect) == word)
            }
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `what is too fast, and what is too much for a day`(dialect: ChatDialect) async throws {
        let rate = TokenLimits(rate: TokenRate(1, per: .day))
        try await ChatFixture.run(limits: rate) { fixture in
            let client = try await fixture.front.connect()
            for (status, word) in [(200, nil), (429, "rate_limit_exceeded")] {
                try await client.send(fixture.ask(dialect, ChatFixture.body(dialect)))
                let reply = try await client.reply()
                #expect(reply.status == status)
                if word != nil { #expect(try reply.word(dialect) == word) }
                // SDKs sleep as long as it says.
                #expect(reply.value("retry-after") == (status == 429 ? "60" : nil))
                #expect(reply.value("x-ratelimit-limit") == "1")
            }
            // To count tokens is nobody's to limit.
            try await client.send(
                fixture.ask(.messages, ChatFixture.body(.messages), path: "/v1/messages/count_tokens"))
            #expect(try await client.reply().status == 200)
        }
        let budget = TokenLimits(budget: TokenBudget(1, .tokens))
        try await ChatFixture.run(limits: budget) { fixture in
            fixture.store.budget = 1
            let client = try await fixture.front.connect()
            try await client.send(fixture.ask(dialect, ChatFixture.body(dialect)))
            let reply = try await client.reply()
            #expect(reply.status == 429)
            #expect(try reply.word(dialect) == "insufficient_quota")
            #expect(reply.value("x-should-retry") == "false")
            #expect(try await fixture.rows(1).map(\.outcome) == ["insufficient_quota"])
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `a body that does not come in time`(dialect: ChatDialect) async throws {
        try await ChatFixture.run(configure: { $0.limits.bodyTimeout = 0.05 }) { fixture in
            let client = try await fixture.front.connect()
            try await client.send(
                HTTPText.request(
                    "POST \(ChatTarget.ask(dialect).name)",
                    [
                        "Authorization: Bearer \(fixture.secret)", "Content-Type: application/json",
                        "Content-Length: 10",
                    ],
                    body: "{"))
            let reply = try await client.reply()
            #expect(reply.status == 408)
            #expect(try reply.word(dialect) == "request_timeout")
        }
    }

    @Test func `a model that is none, in the dialect of the caller's headers`() async throws {
        try await ChatFixture.run { fixture in
            let client = try await fixture.front.connect()
            for (fields, dialect) in [([], ChatDialect.completions), (["anthropic-version: 2023-06-01"], .messages)] {
                try await client.send(fixture.get("/v1/models/gpt-9", fields))
                let reply = try await client.reply()
                #expect(reply.status == 404)
                #expect(try reply.word(dialect) == "model_not_found")
            }
        }
    }

    @Test func `a page may send what headers its SDK has, where its origin may ask`() async throws {
        try await ChatFixture.run { fixture in
            let client = try await fixture.front.connect()
            let wanted = [
                "Origin: http://localhost:3000", "Access-Control-Request-Headers: x-stainless-os,authorization",
            ]
            try await client.send(HTTPText.request("OPTIONS /v1/models", wanted))
            let allowed = try await client.head()
            #expect(allowed.status == 204)
            #expect(allowed.value("access-control-allow-headers") == "x-stainless-os,authorization")
            #expect(allowed.value("access-control-max-age") == "7200")
            try await client.send(HTTPText.request("OPTIONS /mcp", wanted))
            #expect(try await client.head().value("access-control-allow-headers")?.contains("stainless") == false)
            try await client.send(fixture.get("/v1/models", ["Origin: http://localhost:3000"]))
            let list = try await client.reply()
            #expect(list.value("access-control-allow-origin") == "http://localhost:3000")
            #expect(list.value("access-control-expose-headers")?.contains("X-MCP-Models-Count") == true)
        }
    }
}
