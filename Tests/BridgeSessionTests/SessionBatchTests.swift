import BridgeCore
import NIOCore
import Testing

@testable import BridgeSession

@Suite("What a POST may hold", .timeLimit(.minutes(2))) struct SessionBatchTests {
    private static func ping(_ id: String) -> String { #"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"# }
    private static let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
    private static func pong(_ id: String) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"# }

    @Test func `is a batch in the one revision that has them: every request is answered, as events with ids`()
        async throws
    {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: "2025-03-26")
            let answer = try await bench.post(
                "[\(Self.ping("1")),\(Self.initialized), \(Self.ping("\"b\"")) ,\(Self.ping("3"))]", session: session
            )
            #expect(answer.status == 200)
            #expect(answer.isStreaming)
            let bodies = answer.events.map(\.body) + [answer.body]
            #expect(bodies == [Self.pong("1"), Self.pong("\"b\""), Self.pong("3")])
            let ids = answer.events.map(\.id) + [answer.lastEventID]
            #expect(Set(ids).count == 3 && !ids.contains(nil))
        }
    }

    @Test(arguments: ["2024-11-05", "2025-06-18", "2025-11-25"])
    func `is no batch in any other revision`(version: String) async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: version)
            for body in ["[\(Self.ping("1"))]", "[]", "[\(Self.initialized)]"] {
                let answer = try await bench.post(body, session: session)
                #expect(answer.status == 400)
                #expect(answer.errorCode == -32600)
                #expect(answer.errorWord == "batch_not_allowed")
            }
        }
    }

    @Test func `is a batch of one to a hundred messages`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: "2025-03-26")
            for count in [0, 101] {
                let body = "[" + (0..<count).map { Self.ping("\($0)") }.joined(separator: ",") + "]"
                let answer = try await bench.post(body, session: session)
                #expect(answer.status == 400 && answer.errorCode == -32600)
            }
            let most = "[" + (0..<100).map { Self.ping("\($0)") }.joined(separator: ",") + "]"
            let answer = try await bench.post(most, session: session)
            #expect(answer.status == 200)
            #expect(answer.events.count == 99)
        }
    }

    @Test(arguments: [
        Self.initialized, #"{"jsonrpc":"2.0","id":5,"result":{}}"#,
        #"{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"m"}}"#,
    ])
    func `and nothing of it a request is accepted with 202 and no body`(body: String) async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: "2025-03-26")
            #expect(try await bench.post(body, session: session) == Answer(status: 202))
            #expect(try await bench.post("[\(body),\(body)]", session: session) == Answer(status: 202))
        }
    }

    @Test(
        arguments: [
            (#"{"jsonrpc":"2.0","id":4}"#, "4"), (#"{"id":"x","method":"ping"}"#, "\"x\""),
            (#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, nil),
            (#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, nil),
            (#"{"jsonrpc":"2.0","id":6,"method":"ping","params":[]}"#, "6"),
            ("5", nil), ("\"x\"", nil), ("{}", nil),
        ] as [(String, String?)])
    func `that is no message is refused, with its id where it has one`(body: String, id: String?) async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            for session in [session, nil] {
                let answer = try await bench.post(body, session: session)
                #expect(answer.status == 400)
                #expect(answer.errorCode == -32600)
                #expect(answer.json.value("id")?.description == id)
            }
        }
    }

    @Test(arguments: [("2024-11-05", "null"), ("2025-06-18", "null"), ("2025-11-25", nil)] as [(String, String?)])
    func `is no batch in the other revisions, and its error has no id, or null`(version: String, id: String?)
        async throws
    {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: version)
            let answer = try await bench.post(#"[{"jsonrpc":"2.0","id":4,"method":"ping"}]"#, session: session)
            #expect(answer.status == 400 && answer.errorWord == "batch_not_allowed")
            #expect(answer.json.value("id")?.description == id)
        }
    }

    /// The specification has arrays of requests and notifications, and arrays of responses.
    @Test func `may hold answers beside requests, which are answered all the same`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: "2025-03-26")
            let stray = #"{"jsonrpc":"2.0","id":77,"result":{}}"#
            let answer = try await bench.post("[\(stray),\(Self.ping("1")),\(Self.initialized)]", session: session)
            #expect(answer.status == 200 && answer.events.isEmpty)
            #expect(answer.body == Self.pong("1"))
        }
    }

    @Test func `opens no session in a batch, and nothing of that batch runs`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: "2025-03-26")
            try await bench.publish(["t"])
            let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s.t"}}"#
            for body in ["[\(call),\(SessionBench.initialize)]", "[\(SessionBench.initialize)]"] {
                let answer = try await bench.post(body, session: session)
                #expect(answer.status == 400 && answer.errorCode == -32600 && answer.session == nil)
                #expect(answer.json.value("id")?.description == "0")
                let outside = try await bench.post(body, session: nil)
                #expect(outside.status == 400 && outside.errorWord == "session_required" && outside.session == nil)
            }
            // A notification of that name asks for nothing.
            let notification = #"[{"jsonrpc":"2.0","method":"initialize"}]"#
            #expect(try await bench.post(notification, session: session) == Answer(status: 202))
            try await bench.run { #expect($0.upstream().calls.isEmpty) }
        }
    }

    @Test func `cannot have two requests of one id under way`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(version: "2025-03-26")
            let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s.t"}}"#
            try await bench.post("batch", "[\(call),\(call)]", session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.upstream().call(0)?.succeed() }
            let answer = try await bench.answer("batch")
            let bodies = (answer.events.map(\.body) + [answer.body]).compactMap { $0 }
            #expect(bodies.count == 2 && bodies.contains(Self.pong("1")))
            #expect(bodies.contains { $0.contains("duplicate_id") })
        }
    }

    @Test func `can be refused in one message only and then none of the batch runs`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: "2025-03-26")
            try await bench.publish(["t"])
            let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s.t"}}"#
            let answer = try await bench.post("[\(call),{}]", session: session)
            #expect(answer.status == 400)
            try await bench.run { #expect($0.upstream().calls.isEmpty) }
        }
    }

    @Test(arguments: [
        "tasks/update", "subscriptions/listen", "server/discover", "", "tools/call/x", "Tools/call", "tools.call",
        " x/y",
        "TOOLS", "tools/call\\u0000", "x\\u00e9/y",
    ])
    func `and that we do not serve is answered as unknown`(method: String) async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            let answer = try await bench.post(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)"}"#, session: session)
            #expect(answer.status == 200)
            #expect(answer.errorCode == -32601)
        }
    }

    @Test func `and that only an extension can know goes to the one server there is`() async throws {
        try await SessionBench.with { bench in
            try await bench.run { $0.upstream().onCall = { $0.succeed(#"{"x":1}"#) } }
            let session = try await bench.open()
            let request = #"{"jsonrpc":"2.0","id":1,"method":"acme/turn","params":{"name":"s.t","a":null}}"#
            #expect(try await bench.post(request, session: session).json.value("result")?.description == #"{"x":1}"#)
            try await bench.run { scene in
                #expect(scene.upstream().calls.map(\.request) == [request])
                #expect(scene.upstream().calls.map { $0.header.name == nil } == [true])
            }
        }
        try await SessionBench.with(upstreams: ["s", "t"]) { bench in
            let request = #"{"jsonrpc":"2.0","id":1,"method":"acme/turn"}"#
            let session = try await bench.open()
            #expect(try await bench.post(request, session: session).errorCode == -32601)
        }
    }

    @Test func `and that calls several tools is answered call by call, in the order in which they finish`() async throws
    {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(version: "2025-03-26")
            let calls = (1...3).map { #"{"jsonrpc":"2.0","id":\#($0),"method":"tools/call","params":{"name":"s.t"}}"# }
            try await bench.post("batch", "[" + calls.joined(separator: ",") + "]", session: session)
            try await bench.until { $0.upstream().calls.count == 3 }
            for index in [2, 0, 1] { try await bench.run { $0.upstream().call(index)?.succeed() } }
            let answer = try await bench.answer("batch")
            #expect((answer.events.map(\.body) + [answer.body]) == [3, 1, 2].map { Self.pong("\($0)") })
        }
    }
}
