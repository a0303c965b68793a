import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeSession

/// What may have run is never told as "did not run".
@Suite("The truth about a call", .timeLimit(.minutes(2))) struct SessionTruthTests {
    private static let cache = #"{"toolsByUpstream":{"s":[{"name":"t","annotations":{"readOnlyHint":true}}]}}"#
    private static let call = SessionCallTests.call("1")

    private static func progress(_ number: Int) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":\#(number)}}"#
    }

    /// A call of a tool that may be repeated; the worker that had it has died.
    private func withCallOfDeadWorker(
        _ body: (SessionBench, String, _ died: NIODeadline) async throws -> Void
    ) async throws {
        try await SessionBench.with(cache: Self.cache, { $0.upstreams[0].retry = .annotated }) { bench in
            let session = try await bench.open()
            try await bench.post("call", Self.call, session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            let died = try await bench.value { scene in
                defer { scene.upstream().die() }
                return NIODeadline.now()
            }
            try await bench.until { $0.worker?.directory.upstreams[0].isConnected == false }
            try await body(bench, session, died)
            let answer = try await bench.answer("call")
            #expect(answer.status == 200)
            #expect(answer.errorCode == -32004 && answer.errorWord == "outcome_unknown")
        }
    }

    @Test func `a worker that does not come back`() async throws {
        try await self.withCallOfDeadWorker { bench, _, _ in
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(4)) }
            try await bench.run { #expect(!$0.answer("call").isOver, "it waits ten seconds anew") }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(11)) }
        }
    }

    @Test func `a worker that died late in a long call is waited for as long`() async throws {
        try await self.withCallOfDeadWorker { bench, _, died in
            // More than ten seconds after the call came, and not more since it is known that its worker has died.
            try await bench.run { $0.worker?.keepHouse(now: died + .seconds(10)) }
            try await bench.run { #expect(!$0.answer("call").isOver) }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(11)) }
        }
    }

    @Test func `an upstream that is removed meanwhile`() async throws {
        try await self.withCallOfDeadWorker { bench, _, _ in
            var none = bench.configuration
            none.upstreams = []
            let next = none
            try await bench.run { $0.worker?.reconfigure(next) }
        }
    }

    @Test(arguments: [
        ("upstream_unavailable", -32003), ("overloaded", -32006), ("invalid_request", -32600),
    ])
    func `a second worker that says that it did not run`(word: String, code: Int) async throws {
        try await self.withCallOfDeadWorker { bench, _, _ in
            try await bench.run { scene in
                scene.upstream().onCall = { $0.fail(word, code: code) }
            }
            try await bench.flatRun { $0.upstream().start() }
        }
    }

    @Test(arguments: ["overloaded", "no memory", "stopping"])
    func `a second worker that refuses it`(reason: String) async throws {
        try await self.withCallOfDeadWorker { bench, _, _ in
            try await bench.run { $0.upstream().onCall = { $0.exchange.cancel(reason: reason) } }
            try await bench.flatRun { $0.upstream().start() }
        }
    }

    @Test(arguments: [("overloaded", "overloaded", "flight"), ("no memory", "overloaded", "limits.workerBytes")])
    func `a first worker that refuses it unseen is believed`(reason: String, word: String, text: String) async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            try await bench.run { $0.upstream().onCall = { $0.exchange.cancel(reason: reason) } }
            let answer = try await bench.post(Self.call, session: try await bench.open())
            #expect(answer.errorWord == word)
            #expect(answer.json.value("error")?.string("message")?.contains(text) == true)
        }
    }

    @Test func `a first worker that drops it without a word`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            try await bench.run { $0.upstream().onCall = { $0.exchange.cancel(reason: "stopping") } }
            let answer = try await bench.post(Self.call, session: try await bench.open())
            #expect(answer.errorWord == "outcome_unknown")
        }
    }

    @Test func `what was given up of a stream is not resumed as if it had been kept`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            let session = try await bench.open()
            try await bench.post("call", Self.call, session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { scene in
                for number in 1...3 { scene.upstream().call(0)?.send("progress", Self.progress(number)) }
            }
            try await bench.until { $0.answer("call").events.count == 3 }
            let ids = try await bench.value { $0.answer("call").events.compactMap(\.id) }
            try await bench.run { scene in
                for session in scene.worker?.sessions.all.map(\.self) ?? [] {
                    for stream in session.streams.all { stream.forgetEvents() }
                }
            }
            for id in ids.dropLast() {
                try await bench.get("early", session: session, lastEvent: id)
                let early = try await bench.answer("early")
                #expect(early.status == 400 && early.errorWord == "unknown_event")
            }
            try await bench.get("late", session: session, lastEvent: ids.last)
            try await bench.until { $0.answer("late").isStreaming }
            try await bench.run { $0.upstream().call(0)?.succeed() }
            #expect(try await bench.answer("late").status == 200)
        }
    }
}

@Suite("Several streams of one session", .timeLimit(.minutes(2))) struct SessionListeningTests {
    private static func note(_ number: Int) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/x","params":{"n":\#(number)}}"#
    }

    @Test func `live side by side, each message on the newest`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            for name in ["first", "second"] {
                try await bench.get(name, session: session)
                try await bench.until { $0.answer(name).isStreaming }
            }
            try await bench.run { scene in
                #expect(!scene.answer("first").isOver)
                scene.upstream().note(Self.note(1))
            }
            try await bench.until { $0.answer("second").events.last?.body == Self.note(1) }
            try await bench.run { $0.client("second").exchange?.cancel(reason: "client gone") }
            try await bench.until { $0.worker?.sessions.countListening == 1 }
            try await bench.run { $0.upstream().note(Self.note(2)) }
            try await bench.until { $0.answer("first").events.last?.body == Self.note(2) }
            try await bench.run { scene in
                #expect(!scene.answer("first").events.contains { $0.body == Self.note(1) })
                #expect(!scene.answer("second").events.contains { $0.body == Self.note(2) })
            }
        }
    }

    @Test func `are eight at most: a further one ends the oldest`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            for number in 0..<9 {
                try await bench.get("\(number)", session: session)
                try await bench.until { $0.answer("\(number)").isStreaming }
            }
            #expect(try await bench.answer("0").status == 200)
            try await bench.run { scene in
                #expect((1..<9).allSatisfy { !scene.answer("\($0)").isOver })
                #expect(scene.worker?.sessions.countListening == LiveSession.maximumListening)
            }
        }
    }

    @Test func `all end with their session`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            for number in 0..<3 {
                try await bench.get("\(number)", session: session)
                try await bench.until { $0.answer("\(number)").isStreaming }
            }
            #expect(try await bench.delete(session: session).status == 204)
            for number in 0..<3 { #expect(try await bench.answer("\(number)").status == 200) }
        }
    }
}
