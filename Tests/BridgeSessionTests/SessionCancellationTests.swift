import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Cancelled requests", .timeLimit(.minutes(2))) struct SessionCancellationTests {
    /// An answer that ends without having said anything.
    private static let nothing = Answer(status: 200)

    private static func cancel(_ id: String, _ more: String = "") -> String {
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)\#(more)}}"#
    }

    private static func progress(_ number: Int) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":\#(number)}}"#
    }

    private static func pong(_ id: String) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"# }

    /// Calls under way with these ids, each in a POST of its own that is named like it, in one session.
    private func withCalls(
        _ ids: [String], version: String = "2025-11-25", _ body: (SessionBench, String) async throws -> Void
    ) async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(version: version)
            for id in ids { try await bench.post(id, SessionCallTests.call(id), session: session) }
            try await bench.until { $0.upstream().calls.count == ids.count }
            try await body(bench, session)
        }
    }

    private func send(_ body: String, in session: String, _ bench: SessionBench) async throws {
        #expect(try await bench.post(body, session: session) == Answer(status: 202))
    }

    // MARK: How they end

    @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
    func `that have said nothing yet end without a word, and a late answer changes nothing`(
        version: String
    ) async throws {
        try await self.withCalls(["1", "2"], version: version) { bench, session in
            try await self.send(Self.cancel("1"), in: session, bench)
            #expect(try await bench.answer("1") == Self.nothing)
            try await bench.until { $0.upstream().call(0)?.failure != nil }
            try await bench.run { scene in for call in scene.upstream().calls { call.succeed() } }
            #expect(try await bench.answer("2").body == Self.pong("2"))
            try await bench.run { scene in
                #expect(scene.client("1").violations.isEmpty)
                #expect(scene.worker?.desk.underWay == 0)
            }
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            #expect(try await bench.post(SessionCallTests.call("1"), session: session).errorCode == nil, "free again")
        }
    }

    @Test func `whose stream has begun are closed, and nobody can come back to any of it`() async throws {
        try await self.withCalls(["1"]) { bench, session in
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(6)) }
            try await bench.run { scene in
                for each in 1...3 { scene.upstream().call(0)?.send("progress", Self.progress(each)) }
            }
            try await bench.until { $0.answer("1").events.last?.body == Self.progress(3) }
            try await self.send(Self.cancel("1"), in: session, bench)
            let answer = try await bench.answer("1")
            #expect(answer.events.last?.body == Self.progress(3) && answer.status == 200)
            #expect(answer.body == nil && answer.lastEventID == nil)
            // The stream began with an event without content; sequences count from 1.
            let stream = try #require(answer.events.last?.id?.split(separator: "-").first)
            for sequence in 0...5 {
                try await bench.get("again", session: session, lastEvent: "\(stream)-\(sequence)")
                let again = try await bench.answer("again")
                #expect(again.status == 400 && again.errorWord == "unknown_event" && !again.isStreaming)
            }
        }
    }

    @Test func `whose client is away have nothing for it when it comes back`() async throws {
        try await self.withCalls(["1"]) { bench, session in
            try await bench.run { $0.upstream().call(0)?.send("progress", Self.progress(1)) }
            try await bench.until { $0.answer("1").events.count == 1 }
            try await bench.run { $0.client("1").exchange?.cancel(reason: "gone") }
            try await self.send(Self.cancel("1"), in: session, bench)
            try await bench.get(
                "again", session: session, lastEvent: try await bench.value { $0.answer("1").events[0].id })
            #expect(try await bench.answer("again").status == 400)
        }
    }

    @Test func `end on the stream that their client came back on`() async throws {
        try await self.withCalls(["1"]) { bench, session in
            try await bench.run { $0.upstream().call(0)?.send("progress", Self.progress(1)) }
            try await bench.until { $0.answer("1").events.count == 1 }
            let seen = try await bench.value { $0.answer("1").events[0].id }
            try await bench.get("again", session: session, lastEvent: seen)
            try await bench.until { $0.answer("again").isStreaming }
            try await self.send(Self.cancel("1"), in: session, bench)
            let again = try await bench.answer("again")
            #expect(again.events.isEmpty && again.body == nil && again.status == 200)
            try await bench.get("third", session: session, lastEvent: seen)
            #expect(try await bench.answer("third").status == 400)
        }
    }

    @Test func `that wait for a list are let go, lists and calls alike, and never run`() async throws {
        try await SessionBench.with(away: ["s"], { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            let other = try await bench.open()
            let list = #"{"jsonrpc":"2.0","id":"list","method":"tools/list"}"#
            try await bench.post("call", SessionCallTests.call("1"), session: session)
            try await bench.post("list", list, session: session)
            try await bench.post("other's", list, session: other)
            try await self.send(Self.cancel("1"), in: session, bench)
            try await self.send(Self.cancel(#""list""#), in: session, bench)
            #expect(try await bench.answer("call") == Self.nothing)
            #expect(try await bench.answer("list") == Self.nothing)
            try await bench.run { scene in
                #expect(!scene.answer("other's").isOver)
                scene.upstream().publish([#"{"name":"t"}"#])
            }
            try await bench.flatRun { $0.upstream().start() }
            #expect(SessionBench.names(in: try await bench.answer("other's")) == ["s.t"])
            try await bench.run { #expect($0.upstream().calls.isEmpty) }
        }
    }

    // MARK: What is told of them

    @Test(arguments: [
        (#","reason":"enough""#, "enough"), (#","reason":"""#, ""),
        (#","reason":"\u00fc \ud83d\ude00 \"q\"\n""#, "ü 😀 \"q\"\n"),
        ("", "cancelled"), (#","reason":null"#, "cancelled"), (#","reason":7"#, "cancelled"),
        (#","reason":{"a":1}"#, "cancelled"), (#","reason":"overloaded""#, "overloaded"),
        (#","reason":"\#(String(repeating: "é", count: 5_000))""#, String(repeating: "é", count: 1_024)),
    ])
    func `give their server the client's reason`(more: String, expected: String) async throws {
        try await self.withCalls(["1"]) { bench, session in
            try await self.send(Self.cancel("1", more), in: session, bench)
            #expect(try await bench.answer("1") == Self.nothing)
            try await bench.until { $0.upstream().call(0)?.failure == .cancelled(reason: expected) }
        }
    }

    // MARK: Which are meant

    /// Ids that a client may give, and how it might spell them when it cancels.
    private static let ids = [
        "7", #""7""#, "-7", "0", #""""#, #""a""#, "123456789012345678901234567890", "9007199254740993",
    ]
    private static let spellings =
        ids + ["7.0", "7e0", "07", "-0", #""\u0061""#, "9007199254740992", "null", "true", "{}", "[7]"]

    @Test(arguments: Self.spellings.filter { (try? JSONText(validating: ByteBuffer(string: $0))) != nil })
    func `are those of just that id`(spelling: String) async throws {
        try await self.withCalls(Self.ids) { bench, session in
            let meant = RPCID(try JSONText(validating: ByteBuffer(string: spelling)))
            let expected = Self.ids.filter { RPCID(JSONText(trusting: ByteBuffer(string: $0))) == meant }
            try await self.send(Self.cancel(spelling), in: session, bench)
            for id in expected { #expect(try await bench.answer(id) == Self.nothing) }
            try await bench.run { scene in
                #expect(scene.worker?.desk.underWay == Self.ids.count - expected.count)
                for id in Self.ids { #expect(scene.answer(id).isOver == expected.contains(id)) }
            }
        }
    }

    @Test func `are not those of another session, nor what is unknown, finished or initialize`() async throws {
        try await self.withCalls(["1"]) { bench, session in
            let other = try await bench.open()
            try await self.send(Self.cancel("1"), in: other, bench)
            try await self.send(Self.cancel("2"), in: session, bench)
            // That of `initialize`, with which the session was opened.
            try await self.send(Self.cancel("0"), in: session, bench)
            for malformed in [
                #"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#,
                #"{"jsonrpc":"2.0","method":"notifications/canceled","params":{"requestId":1}}"#,
            ] { try await self.send(malformed, in: session, bench) }
            try await bench.run { $0.upstream().call(0)?.succeed() }
            #expect(try await bench.answer("1").body == Self.pong("1"))
            try await self.send(Self.cancel("1"), in: session, bench)
            #expect(try await bench.post(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, session: session).status == 200)
        }
    }

    @Test func `are not what the end of the session makes of them: that is told`() async throws {
        try await self.withCalls(["1"]) { bench, session in
            #expect(try await bench.delete(session: session).status == 204)
            let answer = try await bench.answer("1")
            #expect(answer.errorCode == -32800 && answer.errorWord == "cancelled")
        }
    }

    // MARK: Batches

    /// A batch of calls with the ids 1 to 3 under way, and with it whatever else is given.
    private func withBatch(_ more: String..., body: (SessionBench, String) async throws -> Void) async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(version: "2025-03-26")
            let calls = ["1", "2", "3"].map { SessionCallTests.call($0) }
            try await bench.post("batch", "[" + (calls + more).joined(separator: ",") + "]", session: session)
            try await bench.until { $0.upstream().calls.count == 3 }
            try await body(bench, session)
        }
    }

    @Test(arguments: [1, 2, 3])
    func `of a batch leave each of its other requests its answer`(cancelled: Int) async throws {
        try await self.withBatch { bench, session in
            try await self.send(Self.cancel("\(cancelled)"), in: session, bench)
            try await bench.run { scene in for call in scene.upstream().calls { call.succeed() } }
            let answer = try await bench.answer("batch")
            let others = [1, 2, 3].filter { $0 != cancelled }.map { Self.pong("\($0)") }
            #expect(answer.events.map(\.body) + [answer.body] == others)
        }
    }

    @Test func `of a batch that are its last close it, and what it had answered is still there`() async throws {
        try await self.withBatch { bench, session in
            try await bench.run { scene in for index in 0...1 { scene.upstream().call(index)?.succeed() } }
            try await bench.until { $0.answer("batch").events.count == 2 }
            try await self.send(Self.cancel("3"), in: session, bench)
            let answer = try await bench.answer("batch")
            #expect(answer.events.map(\.body) == [Self.pong("1"), Self.pong("2")] && answer.body == nil)
            try await bench.get("rest", session: session, lastEvent: answer.events[0].id)
            #expect(try await bench.answer("rest").events.map(\.body) == [Self.pong("2")])
            try await bench.get("nothing", session: session, lastEvent: answer.events[1].id)
            let nothing = try await bench.answer("nothing")
            #expect(nothing.status == 400 && !nothing.isStreaming)
        }
    }

    @Test func `can be all that a batch asks for, or be cancelled in it`() async throws {
        try await self.withBatch { bench, session in
            for id in ["1", "2", "3"] { try await self.send(Self.cancel(id), in: session, bench) }
            #expect(try await bench.answer("batch") == Self.nothing)
        }
        try await self.withBatch(Self.cancel("1"), Self.cancel("3"), Self.cancel("2")) { bench, _ in
            let answer = try await bench.answer("batch")
            #expect(answer == Self.nothing)
        }
    }
}
