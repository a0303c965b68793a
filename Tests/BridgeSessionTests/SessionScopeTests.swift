import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("A scope", .timeLimit(.minutes(2))) struct SessionScopeTests {
    private static let token = "token:aaaaaaaaaaaa"
    private static let changed = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
    private static let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":1}}"#

    private func post(
        _ body: String, _ session: String?, scope: String, most: Int? = nil, in bench: SessionBench
    ) async throws -> Answer {
        try await bench.run {
            $0.request(
                "scoped", .post, body: body, session: session, principal: Self.token, scope: scope, concurrency: most)
        }
        return try await bench.answer("scoped")
    }

    private func open(scope: String, in bench: SessionBench) async throws -> String {
        try #require(try await self.post(SessionBench.initialize, nil, scope: scope, in: bench).session)
    }

    private static func request(_ method: String, _ params: String = "{}") -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
    }

    private static func word(_ answer: Answer) -> String? {
        answer.json.value("error")?.value("data")?.string("code")
    }

    @Test(arguments: [
        ("server:a", ["a.t", "a.u"]), ("tool:a.t", ["a.t"]), ("tool:b.*", ["b.t"]), ("chat", []),
        ("server:b,tool:a.u", ["a.u", "b.t"]),
    ])
    func `shows what it has`(scope: String, expected: [String]) async throws {
        try await SessionBench.with(upstreams: ["a", "b"]) { bench in
            try await bench.publish(["t", "u"], by: "a")
            try await bench.publish(["t"], by: "b")
            let session = try await self.open(scope: scope, in: bench)
            let list = try await self.post(Self.request("tools/list"), session, scope: scope, in: bench)
            #expect(SessionBench.names(in: list) == expected)
        }
    }

    @Test(arguments: [
        ("tools/call", #"{"name":"b.t"}"#), ("tools/call", #"{"name":"b__t"}"#),
        ("tools/call", #"{"name":"b.nothing"}"#),
        ("prompts/get", #"{"name":"b.p"}"#), ("resources/read", #"{"uri":"x://y"}"#),
        ("resources/subscribe", #"{"uri":"x://y"}"#),
        ("completion/complete", #"{"ref":{"type":"ref/prompt","name":"b.p"},"argument":{"name":"a","value":""}}"#),
        ("completion/complete", #"{"ref":{"type":"ref/resource","uri":"x://{y}"},"argument":{"name":"a","value":""}}"#),
    ])
    func `lets nothing else be named, whether it is there or not`(method: String, params: String) async throws {
        try await SessionBench.with(upstreams: ["a", "b"]) { bench in
            try await bench.publish(["t"], by: "a")
            try await bench.publish(["t"], by: "b")
            let session = try await self.open(scope: "server:a", in: bench)
            let answer = try await self.post(Self.request(method, params), session, scope: "server:a", in: bench)
            #expect(answer.status == 200 && Self.word(answer) == "not_granted", "\(answer)")
            try await bench.run { #expect($0.upstream("b").calls.isEmpty) }
        }
    }

    /// What was told from the first log message on: a list that was new in the second of the session's beginning is news to it.
    private static func heard(_ answer: Answer) -> [String?] {
        Array(answer.events.map(\.body).drop { $0 == Self.changed })
    }

    @Test func `hears nothing of other servers`() async throws {
        try await SessionBench.with(upstreams: ["a", "b"]) { bench in
            try await bench.publish(["t"], by: "a")
            try await bench.publish(["t"], by: "b")
            let session = try await self.open(scope: "server:a", in: bench)
            try await bench.run {
                $0.request("get", .get, session: session, principal: Self.token, scope: "server:a")
            }
            try await bench.until { $0.answer("get").isStreaming }
            try await bench.run { $0.upstream("b").note(Self.log) }
            try await bench.publish(["t", "u"], by: "b")
            try await bench.run { $0.upstream("a").note(Self.log) }
            try await bench.publish(["t", "u"], by: "a")
            try await bench.until { Self.heard($0.answer("get")).count >= 2 }
            try await bench.run { #expect(Self.heard($0.answer("get")) == [Self.log, Self.changed]) }
        }
    }

    @Test func `hears of a server's tools alone, where it has nothing else of it`() async throws {
        let resources = #"{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}"#
        try await SessionBench.with(upstreams: ["a"]) { bench in
            try await bench.publish(["t"], by: "a")
            let part = try await self.open(scope: "tool:a.t", in: bench)
            let whole = try await self.open(scope: "server:a", in: bench)
            for (name, session, scope) in [("part", part, "tool:a.t"), ("whole", whole, "server:a")] {
                try await bench.run {
                    $0.request(name, .get, session: session, principal: Self.token, scope: scope)
                }
                try await bench.until { $0.answer(name).isStreaming }
            }
            try await bench.run {
                $0.upstream("a").note(Self.log)
                $0.upstream("a").publish([#"{"uri":"x://1","name":"r"}"#], of: .resources)
            }
            try await bench.until { Self.heard($0.answer("whole")).contains(resources) }
            try await bench.run {
                $0.upstream("a").publish([#"{"name":"t","title":"T"}"#])
            }
            try await bench.until { Self.heard($0.answer("whole")).count == 3 && !$0.answer("part").events.isEmpty }
            let claims = SessionClaims(
                number: 77, revision: .newest, capabilities: [], safeNames: false, principal: Self.token,
                created: WallClock.seconds() - 10, expires: .max / 4)
            let late = try #require(SessionSeal(base64Key: SessionBench.key)?.seal(claims))
            try await bench.run {
                $0.request("late", .get, session: late, principal: Self.token, scope: "tool:a.t")
            }
            try await bench.until { !$0.answer("late").events.isEmpty }
            try await bench.run {
                #expect(Self.heard($0.answer("whole")) == [Self.log, resources, Self.changed])
                for name in ["part", "late"] {
                    #expect(Set($0.answer(name).events.map(\.body)) == [Self.changed], "\(name)")
                }
            }
        }
    }

    @Test func `limits how many calls are under way, in all sessions of its token`() async throws {
        try await SessionBench.with(upstreams: ["a"]) { bench in
            try await bench.publish(["t"], by: "a")
            let sessions = [try await self.open(scope: "mcp", in: bench), try await self.open(scope: "mcp", in: bench)]
            let call = Self.request("tools/call", #"{"name":"a.t"}"#)
            try await bench.run {
                $0.request(
                    "first", .post, body: call, session: sessions[0], principal: Self.token, scope: "mcp",
                    concurrency: 1)
            }
            try await bench.until { $0.upstream("a").calls.count == 1 }
            let refused = try await self.post(call, sessions[1], scope: "mcp", most: 1, in: bench)
            #expect(Self.word(refused) == "concurrency_limited")
            try await bench.run { $0.upstream("a").call(0)?.succeed() }
            _ = try await bench.answer("first")
            try await bench.run {
                $0.request(
                    "second", .post, body: call, session: sessions[1], principal: Self.token, scope: "mcp",
                    concurrency: 1)
            }
            try await bench.until { $0.upstream("a").calls.count == 2 }
        }
    }
}
