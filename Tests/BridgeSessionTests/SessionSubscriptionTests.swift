import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Subscriptions of sessions", .timeLimit(.minutes(2))) struct SessionSubscriptionTests {
    private static func request(_ method: String, _ uri: String = "a:1", id: Int = 1) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"resources/\#(method)","params":{"uri":"\#(uri)"}}"#
    }

    private static func updated(_ uri: String = "a:1") -> String {
        #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"\#(uri)"}}"#
    }

    private static func publish(_ bench: SessionBench) async throws {
        try await bench.until { !$0.upstream().watches.isEmpty }
        try await bench.run { scene in
            scene.upstream().publish([#"{"uri":"a:1","name":"x"}"#, #"{"uri":"a:2","name":"y"}"#], of: .resources)
        }
        try await bench.until { $0.worker?.directory.section(.resources).entries.count == 2 }
    }

    /// What a stream has been told of resources, and not of lists.
    private static func updates(_ scene: Scene, _ name: String) -> [String?] {
        scene.answer(name).events.map(\.body).filter { $0?.contains("resources/updated") == true }
    }

    /// The methods that the upstream was sent, each answered with a result at once.
    private static func answerAll(_ bench: SessionBench) async throws {
        try await bench.run { $0.upstream().onCall = { $0.succeed() } }
    }

    private static func methods(_ scene: Scene) -> [String] {
        scene.upstream().calls.map { JSONText(trusting: ByteBuffer(string: $0.request)).string("method") ?? "" }
    }

    @Test func `a server is subscribed to once, and left by the last`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            try await Self.answerAll(bench)
            let sessions = [try await bench.open(), try await bench.open()]
            for session in sessions {
                let answer = try await bench.post(Self.request("subscribe"), session: session)
                #expect(answer.json.value("result")?.description == "{}")
            }
            for session in sessions {
                let answer = try await bench.post(Self.request("unsubscribe"), session: session)
                #expect(answer.json.value("result")?.description == "{}")
            }
            try await bench.until { Self.methods($0) == ["resources/subscribe", "resources/unsubscribe"] }
        }
    }

    @Test func `who leaves is answered when the server has, and who comes meanwhile is not undone by it`() async throws
    {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            let sessions = [try await bench.open(), try await bench.open()]
            try await bench.post("come", Self.request("subscribe"), session: sessions[0])
            try await Self.answer(bench, 0)
            _ = try await bench.answer("come")
            try await bench.post("leave", Self.request("unsubscribe"), session: sessions[0])
            try await bench.post("come too", Self.request("subscribe"), session: sessions[1])
            try await bench.post("give up", Self.request("subscribe", id: 9), session: sessions[0])
            let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#
            _ = try await bench.post(cancel, session: sessions[0])
            #expect(try await bench.answer("give up").body == nil)
            // Whatever was sent has been seen once another request is answered.
            _ = try await bench.names(session: sessions[1])
            try await bench.run { scene in
                #expect(Self.methods(scene) == ["resources/subscribe", "resources/unsubscribe"])
                #expect(!scene.answer("leave").isOver && !scene.answer("come too").isOver)
            }
            try await Self.answer(bench, 1)
            #expect(try await bench.answer("leave").json.value("result")?.description == "{}")
            try await Self.answer(bench, 2)
            #expect(try await bench.answer("come too").errorCode == nil)
            try await bench.run { #expect(Self.methods($0).last == "resources/subscribe") }
        }
    }

    @Test(arguments: [true, false])
    func `who waits for a server to be left is not forgotten`(_ isEnded: Bool) async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            let session = try await bench.open()
            try await bench.post("come", Self.request("subscribe"), session: session)
            try await Self.answer(bench, 0)
            _ = try await bench.answer("come")
            try await bench.post("leave", Self.request("unsubscribe"), session: session)
            try await bench.until { $0.upstream().calls.count == 2 }
            if isEnded {
                _ = try await bench.delete(session: session)
                #expect(try await bench.answer("leave").errorCode != nil)
            } else {
                // It cannot be told any more, and so knows of nothing.
                try await bench.run { $0.upstream().die() }
                #expect(try await bench.answer("leave").json.value("result")?.description == "{}")
            }
        }
    }

    private static func answer(_ bench: SessionBench, _ call: Int) async throws {
        try await bench.until { $0.upstream().calls.count == call + 1 }
        try await bench.run { $0.upstream().call(call)?.succeed() }
    }

    @Test func `who comes while the first is asked gets the same answer`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            let sessions = [try await bench.open(), try await bench.open()]
            for (index, session) in sessions.enumerated() {
                try await bench.post("\(index)", Self.request("subscribe", id: index + 10), session: session)
            }
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run {
                $0.upstream().call(0)?.answer(#"{"jsonrpc":"2.0","id":10,"error":{"code":-32002,"message":"gone"}}"#)
            }
            for index in 0..<2 {
                let answer = try await bench.answer("\(index)")
                #expect(answer.json.int("id") == index + 10)
                #expect(answer.errorCode == -32002)
            }
        }
    }

    @Test func `an update reaches who holds it, and nobody else`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            try await Self.answerAll(bench)
            let holder = try await bench.open()
            let other = try await bench.open()
            _ = try await bench.post(Self.request("subscribe"), session: holder)
            _ = try await bench.post(Self.request("subscribe", "a:2"), session: other)
            try await bench.get("holder", session: holder)
            try await bench.get("other", session: other)
            try await bench.until { $0.answer("holder").isStreaming && $0.answer("other").isStreaming }
            try await bench.run { $0.upstream().note(Self.updated()) }
            try await bench.until { Self.updates($0, "holder").count == 1 }
            // What comes behind it shows that nothing came before.
            try await bench.run { $0.upstream().note(Self.updated("a:2")) }
            try await bench.until { Self.updates($0, "other").count == 1 }
            try await bench.run { scene in
                #expect(Self.updates(scene, "holder") == [Self.updated()])
                #expect(Self.updates(scene, "other") == [Self.updated("a:2")])
            }
        }
    }

    @Test func `updates of one resource that nobody reads are one`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            try await Self.answerAll(bench)
            let session = try await bench.open()
            _ = try await bench.post(Self.request("subscribe"), session: session)
            try await bench.run { scene in for _ in 0..<50 { scene.upstream().note(Self.updated()) } }
            // Behind them comes a change of the list.
            try await bench.run { $0.upstream().publish([#"{"uri":"a:1","name":"x"}"#], of: .resources) }
            try await bench.until { $0.worker?.directory.section(.resources).entries.count == 1 }
            try await bench.get("get", session: session)
            try await bench.until { scene in
                scene.answer("get").events.contains { $0.body?.contains("resources/list_changed") == true }
                    && !Self.updates(scene, "get").isEmpty
            }
            // Whatever is owed has been told once one more request is answered.
            _ = try await bench.names(session: session)
            try await bench.run { #expect(Self.updates($0, "get") == [Self.updated()]) }
        }
    }

    @Test func `a server that is connected to anew is subscribed to again, and clients look again`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            try await Self.answerAll(bench)
            let session = try await bench.open()
            _ = try await bench.post(Self.request("subscribe"), session: session)
            try await bench.get("get", session: session)
            try await bench.until { $0.answer("get").isStreaming }
            try await bench.run { $0.upstream().tellIdentity() }
            try await bench.until { Self.methods($0) == ["resources/subscribe", "resources/subscribe"] }
            try await bench.until { Self.updates($0, "get") == [Self.updated()] }
        }
    }

    @Test func `subscriptions outlive the worker`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            try await Self.answerAll(bench)
            let session = try await bench.open()
            let ended = try await bench.open()
            _ = try await bench.post(Self.request("subscribe"), session: session)
            _ = try await bench.post(Self.request("subscribe", "a:2"), session: ended)
            _ = try await bench.delete(session: ended)
            try await bench.restartWorker()
            try await bench.until { scene in
                Self.methods(scene).suffix(2) == ["resources/unsubscribe", "resources/subscribe"]
            }
            // It may have missed something.
            try await bench.get("get", session: session)
            try await bench.until { Self.updates($0, "get") == [Self.updated()] }
            try await bench.run { $0.upstream().note(Self.updated()) }
            try await bench.until { Self.updates($0, "get").count == 2 }
            #expect(try await bench.post(Self.request("unsubscribe"), session: session).status == 200)
            try await bench.until { Self.methods($0).last == "resources/unsubscribe" }
        }
    }

    @Test func `a subscription that is refused at once blocks nobody's`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            try await bench.publish(["t"])
            let session = try await bench.open()
            let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s.t"}}"#
            try await bench.post("call", call, session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            #expect(try await bench.post(Self.request("subscribe"), session: session).errorWord == "duplicate_id")
            try await Self.answerAll(bench)
            let other = try await bench.open()
            #expect(try await bench.post(Self.request("subscribe"), session: other).errorCode == nil)
        }
    }

    @Test func `of two subscriptions with one id in a batch each is answered, and nothing is left behind`() async throws
    {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            let session = try await bench.open(version: "2025-03-26")
            try await bench.post(
                "batch", "[\(Self.request("subscribe")),\(Self.request("subscribe"))]", session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.upstream().call(0)?.succeed() }
            let answer = try await bench.answer("batch")
            let bodies = (answer.events.map(\.body) + [answer.body]).compactMap(\.self)
            #expect(bodies.count == 2)
            #expect(bodies.filter { $0.contains("duplicate_id") }.count == 1)
            #expect(bodies.contains(#"{"jsonrpc":"2.0","id":1,"result":{}}"#))
            try await bench.run { scene in
                scene.worker?.keepHouse(now: .now() + .seconds(3_600))
                #expect(scene.worker?.sessions.all.allSatisfy(\.isIdle) == true)
            }
        }
    }

    @Test func `a session that ends answers its own requests and nobody else's`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            let first = try await bench.open()
            let second = try await bench.open()
            let third = try await bench.open()
            try await bench.post("first", Self.request("subscribe"), session: first)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.post("second", Self.request("subscribe"), session: second)
            try await bench.post("third", Self.request("subscribe"), session: third)
            _ = try await bench.post(#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#, session: third)
            #expect(try await bench.delete(session: second).status == 204)
            #expect(try await bench.answer("second").errorCode == -32800)
            #expect(try await bench.delete(session: first).status == 204)
            // What the first had asked for is asked anew for the third.
            try await bench.until { Self.methods($0).count { $0 == "resources/subscribe" } == 2 }
            try await bench.run { $0.upstream().calls.last?.succeed() }
            #expect(try await bench.answer("third").errorCode == nil)
        }
    }

    @Test func `who takes a waiting subscription back gets no answer, and holds nothing`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            let first = try await bench.open()
            let second = try await bench.open()
            try await bench.post("first", Self.request("subscribe"), session: first)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.post("second", Self.request("subscribe", id: 5), session: second)
            let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5}}"#
            _ = try await bench.post(cancel, session: second)
            #expect(try await bench.answer("second").body == nil)
            try await bench.run { $0.upstream().call(0)?.succeed() }
            #expect(try await bench.answer("first").errorCode == nil)
            try await bench.get("second stream", session: second)
            try await bench.get("first stream", session: first)
            try await bench.until { $0.answer("first stream").isStreaming && $0.answer("second stream").isStreaming }
            try await bench.run { $0.upstream().note(Self.updated()) }
            try await bench.until { Self.updates($0, "first stream").count == 1 }
            try await bench.run { #expect(Self.updates($0, "second stream").isEmpty) }
        }
    }

    @Test func `what there is no room to keep ends with the session's memory, and nothing else does`() async throws {
        for room in 0...1 {
            try await SessionBench.with(ledger: SessionLedger(maximumOfPrincipal: room)) { bench in
                try await Self.publish(bench)
                try await Self.answerAll(bench)
                let session = try await bench.open()
                #expect(try await bench.post(Self.request("subscribe"), session: session).errorCode == nil)
                try await bench.run { scene in
                    scene.worker?.keepHouse(now: .now() + .seconds(3_600))
                    #expect(scene.worker?.sessions.countLive == 0)
                }
                if room == 0 {
                    try await bench.until { Self.methods($0) == ["resources/subscribe", "resources/unsubscribe"] }
                } else {
                    // It may have missed something, of what it holds.
                    try await bench.get("get", session: session)
                    try await bench.until { Self.updates($0, "get") == [Self.updated()] }
                    try await bench.run { #expect(Self.methods($0) == ["resources/subscribe"]) }
                }
            }
        }
    }

    @Test func `a session may hold so much`() async throws {
        try await SessionBench.with { bench in
            try await Self.publish(bench)
            try await bench.run {
                $0.upstream().publish([#"{"uriTemplate":"a:{+x}","name":"x"}"#], of: .templates)
                $0.upstream().onCall = { $0.succeed() }
            }
            try await bench.until { $0.worker?.directory.section(.templates).entries.count == 1 }
            let session = try await bench.open()
            let long = String(repeating: "x", count: 1_000)
            for number in 0..<4 {
                let good = try await bench.post(Self.request("subscribe", "a:\(number)\(long)"), session: session)
                #expect(good.errorCode == nil)
            }
            let answer = try await bench.post(Self.request("subscribe", "a:5\(long)"), session: session)
            #expect(answer.errorWord == "overloaded")
        }
    }
}
