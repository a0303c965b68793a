import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("initialize", .timeLimit(.minutes(1))) struct SessionInitializeTests {
    private static func body(id: String = "0", params: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"initialize","params":\#(params)}"#
    }

    @Test(arguments: [
        ("2024-11-05", "2024-11-05"), ("2025-03-26", "2025-03-26"), ("2025-06-18", "2025-06-18"),
        ("2025-11-25", "2025-11-25"), ("2026-07-28", "2025-11-25"), ("1.0", "2025-11-25"),
    ])
    func `is answered in the client's revision if we speak it, else in our newest`(
        asked: String, expected: String
    ) async throws {
        try await SessionBench.with { bench in
            let body = Self.body(
                params: #"{"protocolVersion":"\#(asked)","capabilities":{},"clientInfo":{"name":"x","version":"1"}}"#)
            let answer = try await bench.post(body, session: nil)
            #expect(answer.status == 200)
            #expect(!answer.isStreaming)
            // The capability of completion came with 2025-03-26.
            let completions = expected == "2024-11-05" ? "" : #","completions":{}"#
            let capabilities =
                #"{"logging":{},"tools":{"listChanged":true},"prompts":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true}\#(completions)}"#
            #expect(
                answer.body
                    == #"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"\#(expected)","capabilities":\#(capabilities),"serverInfo":{"name":"mcp-bridge","version":"1.2.3"}}}"#
            )
            let id = try #require(answer.session)
            let claims = try #require(SessionSeal(base64Key: SessionBench.key)?.open(id))
            #expect(claims.revision.name == expected)
            #expect(claims.principal == "local")
            #expect(claims.expires - claims.created == 604_800)
        }
    }

    @Test(arguments: ["1", "-7", "\"a\"", #""\u0061\/é""#, "123456789012345678901234567890"])
    func `echoes the id as it was written`(id: String) async throws {
        try await SessionBench.with { bench in
            let answer = try await bench.post(
                Self.body(id: id, params: #"{"protocolVersion":"2025-06-18"}"#), session: nil
            )
            #expect(answer.status == 200)
            #expect(answer.json.value("id")?.description == id)
        }
    }

    @Test func `never waits for an upstream`() async throws {
        try await SessionBench.with(upstreams: ["a", "b"], away: ["a", "b"], { $0.listWait = 3_600 }) { bench in
            let answer = try await bench.post(SessionBench.initialize, session: nil)
            #expect(answer.status == 200)
        }
    }

    @Test func `passes on the operator's instructions`() async throws {
        try await SessionBench.with(upstreams: [], { $0.instructions = "Be \"kind\"" }) { bench in
            let answer = try await bench.post(SessionBench.initialize, session: nil)
            #expect(answer.json.value("result")?.string("instructions") == "Be \"kind\"")
        }
    }

    @Test(arguments: ["{}", #"{"protocolVersion":5}"#, #"{"protocolVersion":null}"#])
    func `without a protocol version is refused`(params: String) async throws {
        try await SessionBench.with { bench in
            let answer = try await bench.post(Self.body(id: "9", params: params), session: nil)
            #expect(answer.status == 400)
            #expect(answer.errorCode == -32602)
            #expect(answer.json.int("id") == 9)
            #expect(answer.session == nil)
        }
    }

    @Test func `in a session is refused, and leaves the session as it is`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            let answer = try await bench.post(SessionBench.initialize, session: session)
            #expect(answer.status == 400)
            #expect(answer.session == nil)
            #expect(try await bench.post(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, session: session).status == 200)
        }
    }

    @Test func `gives every client a session of its own, bound to its principal`() async throws {
        try await SessionBench.with { bench in
            let first = try await bench.open(principal: "uid:1000")
            let second = try await bench.open(principal: "uid:1000")
            #expect(first != second)
            #expect(first.utf8.count < 512)
        }
    }

    static let declarations: [(String, SessionClaims.Capabilities)] = [
        (#"{}"#, []), (#"{"sampling":{}}"#, [.sampling]),
        (#"{"sampling":{"tools":{}}}"#, [.sampling, .samplingTools]), (#"{"elicitation":{}}"#, [.elicitationForm]),
        (#"{"elicitation":{"url":{}}}"#, [.elicitationURL]),
        (#"{"elicitation":{"form":{},"url":{}}}"#, [.elicitationForm, .elicitationURL]),
        (#"{"roots":{"listChanged":true},"experimental":{}}"#, [.roots]), ("5", []),
    ]

    @Test(arguments: Self.declarations)
    func `remembers what the client can do`(declared: String, expected: SessionClaims.Capabilities) async throws {
        try await SessionBench.with(upstreams: []) { bench in
            let answer = try await bench.post(
                Self.body(params: #"{"protocolVersion":"2025-11-25","capabilities":\#(declared)}"#), session: nil
            )
            let id = try #require(answer.session)
            #expect(SessionSeal(base64Key: SessionBench.key)?.open(id)?.capabilities == expected)
        }
    }

    @Test func `cannot open a worker with a key that is none`() async throws {
        await #expect(throws: SessionWorker.StartError.self) {
            try await SessionBench.with({ $0.sealingKey = Secret("short") }) { _ in }
        }
    }
}
