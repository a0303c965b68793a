import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("tools/list", .timeLimit(.minutes(2))) struct SessionListTests {
    private static let list = #"{"jsonrpc":"2.0","id":"l\u0031","method":"tools/list"}"#
    private static let cache = """
        {"updatedAt":"x","toolsByUpstream":{"a":[{"name":"warm","n":1.0,"inputSchema":{"type":"object"}}],"gone":[{"name":"no"}]}}
        """

    private func names(_ answer: Answer) -> [String] { SessionBench.names(in: answer) }

    @Test func `shows the tools of all upstreams, sorted, each member as the upstream wrote it`() async throws {
        try await SessionBench.with(upstreams: ["b", "a"], { $0.listWait = 3_600 }) { bench in
            try await bench.run { scene in
                scene.upstream("b").publish([#"{"description":"\u0041","name":"z", "x" : 1.0}"#, #"{"name":"y"}"#])
                scene.upstream("a").publish([#"{"name":"t"}"#])
            }
            let session = try await bench.open()
            let answer = try await bench.post(Self.list, session: session)
            #expect(
                answer.body
                    == #"{"jsonrpc":"2.0","id":"l\u0031","result":{"tools":[{"name":"a.t"},{"name":"b.y"},{"description":"\u0041","name":"b.z", "x" : 1.0}]}}"#
            )
        }
    }

    @Test func `waits for an upstream that has never been listed`() async throws {
        try await SessionBench.with(upstreams: ["a", "b"], { $0.listWait = 3_600 }) { bench in
            try await bench.run { $0.upstream("a").publish([#"{"name":"t"}"#]) }
            let session = try await bench.open()
            try await bench.post("list", Self.list, session: session)
            try await bench.until { !$0.upstream("a").watches.isEmpty && !$0.upstream("b").watches.isEmpty }
            _ = try await bench.post(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, session: session)
            try await bench.run { scene in
                #expect(!scene.answer("list").isOver)
                scene.upstream("b").publish([#"{"name":"u"}"#])
            }
            #expect(self.names(try await bench.answer("list")) == ["a.t", "b.u"])
            // Listed once, it is never waited for again, even when it is away.
            try await bench.run { $0.upstream("b").die() }
            #expect(try await bench.names(session: session) == ["a.t", "b.u"])
        }
    }

    @Test func `has what came in the same breath as the word that the upstream is ready`() async throws {
        try await SessionBench.with({ $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            try await bench.until { !$0.upstream().watches.isEmpty }
            try await bench.post("list", Self.list, session: session)
            _ = try await bench.post(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, session: session)
            try await bench.run { scene in
                scene.upstream().publish([#"{"name":"t"}"#])
                scene.upstream().tell(phase: "ready")
            }
            #expect(self.names(try await bench.answer("list")) == ["s.t"])
        }
    }

    @Test func `waits for nobody when told so`() async throws {
        try await SessionBench.with(away: ["s"]) { bench in
            let names = try await bench.names(session: try await bench.open())
            #expect(names.isEmpty)
        }
    }

    @Test func `waits no longer than it may`() async throws {
        try await SessionBench.with(away: ["s"], { $0.listWait = 0.05 }) { bench in
            let names = try await bench.names(session: try await bench.open())
            #expect(names.isEmpty)
        }
    }

    @Test(arguments: ["backoff", "failed", "stopped"])
    func `waits for no upstream that is in trouble, and shows the others' tools`(phase: String) async throws {
        try await SessionBench.with(upstreams: ["a", "b"], { $0.listWait = 3_600 }) { bench in
            try await bench.run { $0.upstream("a").publish([#"{"name":"t"}"#]) }
            let session = try await bench.open()
            try await bench.post("list", Self.list, session: session)
            try await bench.until { !$0.upstream("a").watches.isEmpty && !$0.upstream("b").watches.isEmpty }
            try await bench.run { $0.upstream("b").tell(phase: phase) }
            #expect(self.names(try await bench.answer("list")) == ["a.t"])
        }
    }

    @Test func `serves the warm cache at once, while the upstream is away`() async throws {
        try await SessionBench.with(upstreams: ["a"], away: ["a"], cache: Self.cache, { $0.listWait = 3_600 }) {
            bench in
            let answer = try await bench.post(Self.list, session: try await bench.open())
            #expect(
                answer.json.value("result")?.description
                    == #"{"tools":[{"name":"a.warm","n":1.0,"inputSchema":{"type":"object"}}]}"#)
        }
    }

    @Test(arguments: ["", "not json", "{", #"{"toolsByUpstream":{"a":[{"name":"t"}"#])
    func `begins empty with a cache that cannot be read`(cache: String) async throws {
        try await SessionBench.with(upstreams: ["a"], away: ["a"], cache: cache) { bench in
            let names = try await bench.names(session: try await bench.open())
            #expect(names.isEmpty)
        }
    }

    @Test func `begins empty where the cache is no file at all`() async throws {
        try await SessionBench.with({ configuration in
            configuration.listWait = 0
            configuration.toolCachePath = "/dev"
        }) { bench in
            let names = try await bench.names(session: try await bench.open())
            #expect(names.isEmpty)
        }
    }

    @Test func `leaves a cache behind that the next life begins with`() async throws {
        try await SessionBench.with(upstreams: ["a", "b"], away: ["b"], cache: Self.cache) { bench in
            try await bench.publish(["t", "u"], by: "a")
            try await bench.run { $0.upstream("a").die() }
            try await bench.restartWorker()
            #expect(try await bench.names(session: try await bench.open()) == ["a.t", "a.u"])
            #expect(bench.folder.mode("tools-cache.json") == 0o600)
            let file = try #require(bench.folder.read("tools-cache.json"))
            #expect(file.hasPrefix("{\n  \"updatedAt\": \"20"))
            #expect(file.contains("      {\n        \"name\": \"u\"\n      }\n    ]\n  }"))
            #expect(file.hasSuffix("\n}\n"))
            // How they are shown, for who has no configuration: both servers, in their order.
            let shown = try JSONText(validating: ByteBuffer(string: file)).value("shown").flatMap {
                CatalogueDisplay($0)
            }
            #expect(shown?.servers.map(\.prefix) == ["a", "b"])
        }
    }

    @Test func `wakes an upstream that starts on demand, and waits for it once`() async throws {
        try await SessionBench.with({ $0.listWait = 3_600 }) { bench in
            try await bench.run { $0.upstream().tell(phase: "idle") }
            let session = try await bench.open()
            try await bench.until { !$0.upstream().watches.isEmpty }
            _ = try await bench.post(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, session: session)
            try await bench.post("one", Self.list, session: session)
            try await bench.post("two", Self.list, session: session)
            try await bench.until { $0.upstream().retries == 1 }
            try await bench.run { scene in
                scene.upstream().publish([#"{"name":"t"}"#])
                scene.upstream().tell(phase: "ready")
            }
            #expect(self.names(try await bench.answer("one")) == ["s.t"])
            #expect(self.names(try await bench.answer("two")) == ["s.t"])
            try await bench.run { $0.upstream().tell(phase: "idle") }
            #expect(try await bench.names(session: session) == ["s.t"])
            try await bench.run { #expect($0.upstream().retries == 1) }
        }
    }

    @Test func `wakes an upstream that turns out to rest while the list waits`() async throws {
        try await SessionBench.with(away: ["s"], { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            try await bench.post("list", Self.list, session: session)
            _ = try await bench.post(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, session: session)
            try await bench.run { $0.upstream().tell(phase: "idle") }
            try await bench.flatRun { $0.upstream().start() }
            try await bench.until { $0.upstream().retries == 1 }
            try await bench.run { $0.upstream().publish([#"{"name":"t"}"#]) }
            #expect(self.names(try await bench.answer("list")) == ["s.t"])
        }
    }

    @Test func `shows safe names to clients that need them, and to whoever asks by the URL`() async throws {
        try await SessionBench.with({ $0.safeNamesFor = ["Needs-Safe"] }) { bench in
            try await bench.publish(["t"])
            let plain = try await bench.open(client: "other")
            let safe = try await bench.open(client: "needs-safe")
            #expect(try await bench.names(session: plain) == ["s.t"])
            #expect(try await bench.names(session: safe) == ["s__t"])
            #expect(try await bench.names(session: plain, names: "safe") == ["s__t"])
            #expect(try await bench.names(session: safe, names: "dot") == ["s.t"])
        }
    }

    @Test func `comes in pages when told so, each tool once`() async throws {
        try await SessionBench.with({ configuration in
            configuration.pageSize = 2
            configuration.listWait = 3_600
        }) { bench in
            try await bench.run { $0.upstream().publish((0..<5).map { #"{"name":"t\#($0)"}"# }) }
            let session = try await bench.open()
            for safe in [false, true] {
                var names: [String] = []
                var cursor: String?
                var pages = 0
                repeat {
                    let params = cursor.map { #","params":{"cursor":"\#($0)"}"# } ?? ""
                    let answer = try await bench.post(
                        #"{"jsonrpc":"2.0","id":1,"method":"tools/list"\#(params)}"#, session: session,
                        names: safe ? "safe" : nil
                    )
                    names += self.names(answer)
                    cursor = answer.json.value("result")?.string("nextCursor")
                    pages += 1
                } while cursor != nil && pages < 10
                #expect(pages == 3)
                #expect(names == (0..<5).map { safe ? "s__t\($0)" : "s.t\($0)" })
            }
        }
    }

    @Test(arguments: ["\"x\"", "\"p0\"", "\"p-1\"", "\"p6\"", "\"p99999999999999999999\"", "5", "\"\"", "{}"])
    func `refuses a cursor that it did not give`(cursor: String) async throws {
        try await SessionBench.with({ $0.pageSize = 2 }) { bench in
            try await bench.publish(["a", "b"])
            let answer = try await bench.post(
                #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":\#(cursor)}}"#,
                session: try await bench.open()
            )
            #expect(answer.errorCode == -32602)
        }
    }

    @Test func `is told to GET /tools by server`() async throws {
        try await SessionBench.with(upstreams: ["z", "a", "none"]) { bench in
            try await bench.publish(["t"], by: "z")
            try await bench.publish(["v", "u"], by: "a")
            try await bench.run { $0.request("tools", .tools) }
            let answer = try await bench.answer("tools")
            #expect(answer.status == 200)
            #expect(answer.body == #"{"tools":{"a":["a.u","a.v"],"none":[],"z":["z.t"]}}"#)
        }
    }

    @Test func `of a large catalogue passes whole`() async throws {
        try await SessionBench.with({ $0.listWait = 3_600 }) { bench in
            let filler = String(repeating: "x", count: 1_000)
            try await bench.run { scene in
                scene.upstream().publish((0..<3_000).map { #"{"name":"t\#(10_000 + $0)","description":"\#(filler)"}"# })
            }
            let names = try await bench.names(session: try await bench.open())
            #expect(names == (0..<3_000).map { "s.t\(10_000 + $0)" })
        }
    }
}
