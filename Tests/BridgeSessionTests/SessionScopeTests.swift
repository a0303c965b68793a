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

    /// All of it is there, and whoever sees all of that server is served.
    @Test(arguments: [
        ("prompts/get", #"{"name":"b.p"}"#), ("resources/read", #"{"uri":"b:1"}"#),
        ("resources/read", #"{"uri":"b://x"}"#), ("resources/subscribe", #"{"uri":"b:1"}"#),
        ("resources/unsubscribe", #"{"uri":"b:1"}"#),
        ("completion/complete", #"{"ref":{"type":"ref/prompt","name":"b.p"},"argument":{"name":"a","value":""}}"#),
        ("completion/complete", #"{"ref":{"type":"ref/resource","uri":"b://{y}"},"argument":{"name":"y","value":""}}"#),
        ("completion/complete", #"{"ref":{"type":"ref/resource","uri":"b:1"},"argument":{"name":"y","value":""}}"#),
    ])
    func `hides what is there from whoever has another server, or only tools of this one`(
        method: String, params: String
    ) async throws {
        try await SessionBench.with(upstreams: ["a", "b"]) { bench in
            try await bench.publish(["t"], by: "a")
            try await bench.publish(["t"], by: "b")
            try await bench.run { scene in
                scene.upstream("b").capabilities = ["tools", "completions"]
                scene.upstream("b").onCall = { $0.succeed(#"{"contents":[{"uri":"b:1","text":"x"}]}"#) }
                scene.upstream("b").publish([#"{"name":"p"}"#], of: .prompts)
                scene.upstream("b").publish([#"{"uri":"b:1","name":"r"}"#], of: .resources)
                scene.upstream("b").publish([#"{"uriTemplate":"b://{y}","name":"t"}"#], of: .templates)
            }
            try await bench.until { scene in
                [Offering.prompts, .resources, .templates].allSatisfy {
                    scene.worker?.directory.section($0).entries.count == 1
                }
            }
            for scope in ["server:a", "tool:b.*", "chat"] {
                let session = try await self.open(scope: scope, in: bench)
                let answer = try await self.post(Self.request(method, params), session, scope: scope, in: bench)
                // To end what one never had is no trouble to anybody.
                let isNothing = method == "resources/unsubscribe" && Self.word(answer) == nil
                #expect(answer.status == 200 && (isNothing || Self.word(answer) == "not_granted"), "\(scope) \(answer)")
                try await bench.run { #expect($0.upstream("b").calls.isEmpty) }
            }
            let session = try await self.open(scope: "server:b", in: bench)
            let answer = try await self.post(Self.request(method, params), session, scope: "server:b", in: bench)
            #expect(Self.word(answer) == nil, "\(answer)")
        }
    }

    @Test(arguments: ["resources/read", "resources/subscribe"])
    func `has what is seen of it, though a server that is not seen has the same`(method: String) async throws {
        try await SessionBench.with(upstreams: ["a", "b"]) { bench in
            try await bench.until { !$0.upstream("a").watches.isEmpty && !$0.upstream("b").watches.isEmpty }
            try await bench.run { scene in
                for name in ["a", "b"] {
                    scene.upstream(name).onCall = { $0.succeed() }
                    scene.upstream(name).publish([#"{"uri":"x:1","name":"r"}"#], of: .resources)
                }
            }
            try await bench.until { scene in
                scene.worker?.directory.upstreams.allSatisfy { $0.list(of: .resources)?.count == 1 } == true
            }
            for scope in ["server:a", "server:b"] {
                let session = try await self.open(scope: scope, in: bench)
                let list = try await self.post(Self.request("resources/list"), session, scope: scope, in: bench)
                #expect(list.json.description.contains("x:1"), "\(list)")
                let request = Self.request(method, #"{"uri":"x:1"}"#)
                let answer = try await self.post(request, session, scope: scope, in: bench)
                #expect(Self.word(answer) == nil, "\(scope) \(answer)")
            }
            try await bench.run { scene in
                #expect(scene.upstream("a").calls.count == 1 && scene.upstream("b").calls.count == 1)
            }
        }
    }

    @Test(arguments: ["vendor/own", "extensions/what"])
    func `has what nobody knows only with all of the one server`(method: String) async throws {
        try await SessionBench.with(upstreams: ["a"]) { bench in
            try await bench.publish(["t"], by: "a")
            try await bench.run { scene in scene.upstream("a").onCall = { $0.succeed() } }
            for scope in ["server:b", "tool:a.*", "chat"] {
                let session = try await self.open(scope: scope, in: bench)
                let answer = try await self.post(Self.request(method), session, scope: scope, in: bench)
                #expect(answer.status == 200 && Self.word(answer) == "not_granted", "\(scope) \(answer)")
                try await bench.run { #expect($0.upstream("a").calls.isEmpty) }
            }
            let session = try await self.open(scope: "server:a", in: bench)
            let answer = try await self.post(Self.request(method), session, scope: "server:a", in: bench)
            #expect(Self.word(answer) == nil, "\(answer)")
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
