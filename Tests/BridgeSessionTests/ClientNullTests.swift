import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

/// Clients that write null where they have nothing to say.
@Suite("Null from clients", .timeLimit(.minutes(2))) struct ClientNullTests {
    private static func request(_ method: String, _ params: String, id: String = "1") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#
    }

    @Test(arguments: [
        ("ping", "null"), ("ping", #"{"_meta":null}"#), ("tools/list", "null"), ("tools/list", #"{"cursor":null}"#),
        ("tools/list", #"{"cursor":null,"_meta":null}"#), ("logging/setLevel", #"{"level":"info","_meta":null}"#),
    ])
    func `counts as absent in requests`(method: String, params: String) async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            let answer = try await bench.post(Self.request(method, params), session: session)
            #expect(answer.status == 200 && answer.json.value("result") != nil, "\(answer)")
        }
    }

    @Test func `in place of members that a request cannot do without is as if they were not there`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            for (method, params) in [
                ("tools/call", "null"), ("tools/call", #"{"name":null}"#), ("logging/setLevel", "null"),
                ("logging/setLevel", #"{"level":null}"#),
            ] {
                let answer = try await bench.post(Self.request(method, params), session: session)
                #expect(answer.status == 200 && answer.errorCode == -32602, "\(method) \(params): \(answer)")
            }
        }
    }

    @Test func `is not passed on as _meta; arguments are the server's`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            let call = Self.request("tools/call", #"{"name":"s.t","arguments":null,"_meta":null}"#)
            #expect(try await bench.post(call, session: try await bench.open()).errorCode == nil)
            try await bench.run { scene in
                let sent = try JSONText(validating: ByteBuffer(string: scene.upstream().call(0)?.request ?? ""))
                #expect(sent.value("params")?.member("_meta") == nil)
                #expect(sent.value("params")?.value("arguments")?.isNull == true)
            }
        }
    }

    @Test(arguments: [
        #"{"protocolVersion":"2025-11-25","capabilities":null,"clientInfo":null}"#,
        #"{"protocolVersion":"2025-11-25","capabilities":{"roots":null,"sampling":null,"elicitation":null,"x":null}}"#,
        #"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":null,"version":null},"_meta":null}"#,
    ])
    func `says of a client that it cannot do something`(params: String) async throws {
        try await SessionBench.with { bench in
            let answer = try await bench.post(Self.request("initialize", params), session: nil)
            let id = try #require(answer.session)
            #expect(SessionSeal(base64Key: SessionBench.key)?.open(id)?.capabilities == [])
        }
    }

    @Test func `below a capability is as if it were not there`() async throws {
        try await SessionBench.with { bench in
            let params =
                #"{"protocolVersion":"2025-11-25","capabilities":{"sampling":{"tools":null},"elicitation":{"url":null}}}"#
            let answer = try await bench.post(Self.request("initialize", params), session: nil)
            let id = try #require(answer.session)
            #expect(SessionSeal(base64Key: SessionBench.key)?.open(id)?.capabilities == [.sampling, .elicitationForm])
        }
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","method":"notifications/initialized","params":null}"#,
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":null}"#,
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":null,"reason":null}}"#,
        #"{"jsonrpc":"2.0","method":"notifications/roots/list_changed","params":{"_meta":null}}"#,
        #"{"jsonrpc":"2.0","id":1,"result":{},"error":null}"#, #"{"jsonrpc":"2.0","id":"r","result":null}"#,
        #"{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":-1,"message":"no"}}"#,
        #"{"jsonrpc":"2.0","id":1,"method":null,"result":{}}"#,
    ])
    func `counts as absent in notifications and answers`(body: String) async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            #expect(try await bench.post(body, session: session) == Answer(status: 202))
        }
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, #"{"jsonrpc":"2.0","id":null,"method":"ping","params":null}"#,
        #"{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"s.t"}}"#,
        #"{"jsonrpc":"2.0","id":null,"method":"notifications/initialized"}"#,
        #"{"jsonrpc":"2.0","id":null,"result":{}}"#, #"{"jsonrpc":"2.0","id":null,"result":null}"#,
        #"{"jsonrpc":"2.0","method":"ping","params":[]}"#, #"{"jsonrpc":null,"id":1,"method":"ping"}"#,
        #"{"jsonrpc":"2.0","id":1,"method":null}"#, #"{"jsonrpc":"2.0","id":1,"result":null,"error":null,"method":7}"#,
    ])
    func `is no id, and what cannot be read is refused`(body: String) async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            let answer = try await bench.post(body, session: session)
            #expect(answer.status == 400 && answer.errorCode == -32600, "\(answer)")
            try await bench.run { #expect($0.upstream().calls.isEmpty) }
        }
    }
}
