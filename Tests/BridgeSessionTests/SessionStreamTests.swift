import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Event streams of calls", .timeLimit(.minutes(2))) struct SessionStreamTests {
    private static let call = SessionCallTests.call("1", "s.t", rest: #","_meta":{"progressToken":"p"}"#)
    private static let done = #"{"jsonrpc":"2.0","id":1,"result":{}}"#

    private static func progress(_ number: Int) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":\#(number)}}"#
    }

    /// A call under way, and its session.
    private func withCall(
        version: String = "2025-11-25", _ body: (SessionBench, String) async throws -> Void
    ) async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(version: version)
            try await bench.post("call", Self.call, session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await body(bench, session)
        }
    }

    @Test func `begin with the first progress and end with the result, each event under an id of its own`() async throws
    {
        try await self.withCall { bench, _ in
            try await bench.run { scene in
                for number in 1...3 { scene.upstream().call(0)?.send("progress", Self.progress(number)) }
                scene.upstream().call(0)?.succeed()
            }
            let answer = try await bench.answer("call")
            #expect(answer.status == 200)
            #expect(answer.events.map(\.body) == (1...3).map(Self.progress))
            #expect(answer.body == Self.done)
            let ids = answer.primings + answer.events.map(\.id) + [answer.lastEventID]
            #expect(!ids.contains(nil) && Set(ids).count == 5)
            for id in ids.compactMap(\.self) {
                #expect(id.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            }
        }
    }

    @Test func `are resumed after the event that was seen last`() async throws {
        try await self.withCall { bench, session in
            try await bench.run { scene in
                for number in 1...3 { scene.upstream().call(0)?.send("progress", Self.progress(number)) }
            }
            try await bench.until { $0.answer("call").events.count == 3 }
            let events = try await bench.value { $0.answer("call").events }
            try await bench.get("again", session: session, lastEvent: events[0].id)
            try await bench.until { $0.answer("again").events.count == 2 }
            try await bench.run { scene in
                #expect(scene.answer("again").events == Array(events[1...]))
                #expect(scene.answer("call").status == 200, "the older connection has ended")
                #expect(scene.answer("call").body == nil)
                scene.upstream().call(0)?.send("progress", Self.progress(4))
                scene.upstream().call(0)?.succeed()
            }
            let again = try await bench.answer("again")
            #expect(again.events.map(\.body) == [2, 3, 4].map(Self.progress))
            #expect(again.body == Self.done)
            #expect(again.lastEventID != nil)
        }
    }

    @Test func `go on without the front, and what it missed is fetched from the next one`() async throws {
        try await self.withCall { bench, session in
            try await bench.run { $0.upstream().call(0)?.send("progress", Self.progress(1)) }
            try await bench.until { $0.answer("call").events.count == 1 }
            let seen = try await bench.value { $0.answer("call").events[0].id }
            try await bench.run { $0.replaceFront() }
            try await bench.until { $0.timesConnected == 2 }
            try await bench.run { scene in
                #expect(scene.answer("call").failure == .linkLost(sent: true))
                scene.upstream().call(0)?.send("progress", Self.progress(2))
                scene.upstream().call(0)?.succeed()
            }
            // Nobody is there; the answer waits.
            #expect(try await bench.post(#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#, session: session).status == 200)
            for _ in 0..<2 {
                try await bench.get("again", session: session, lastEvent: seen)
                let again = try await bench.answer("again")
                #expect(again.isStreaming)
                #expect(again.status == 200)
                #expect(again.events.map(\.body) == [Self.progress(2), Self.done])
                #expect(again.events.allSatisfy { $0.id != nil && $0.id != seen })
            }
        }
    }

    @Test func `are kept for a while after their end, and then no longer`() async throws {
        try await self.withCall { bench, session in
            try await bench.run { scene in
                scene.upstream().call(0)?.send("progress", Self.progress(1))
                scene.upstream().call(0)?.succeed()
            }
            let first = try await bench.answer("call").events[0].id
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(30)) }
            try await bench.get("in time", session: session, lastEvent: first)
            #expect(try await bench.answer("in time").events.map(\.body) == [Self.done])
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(61)) }
            try await bench.get("too late", session: session, lastEvent: first)
            let late = try await bench.answer("too late")
            #expect(late.status == 400 && !late.isStreaming)
        }
    }

    @Test func `are told apart: an event of another session, of none or of nonsense is refused`() async throws {
        try await self.withCall { bench, session in
            try await bench.run { $0.upstream().call(0)?.send("progress", Self.progress(1)) }
            try await bench.until { $0.answer("call").events.count == 1 }
            let event = try #require(try await bench.value { $0.answer("call").events[0].id })
            let other = try await bench.open()
            for (index, attempt) in [
                (other, event), (session, "x"), (session, "zzz-1"), (session, event + "x"), (session, "-"),
                (session, "1--1"),
            ].enumerated() {
                try await bench.get("attempt \(index)", session: attempt.0, lastEvent: attempt.1)
                let answer = try await bench.answer("attempt \(index)")
                #expect(answer.status == 400 && answer.errorWord == "unknown_event" && !answer.isStreaming)
            }
            try await bench.run { #expect(!$0.answer("call").isOver, "the stream itself is untouched") }
        }
    }

    @Test func `that have lost events say so rather than leave a gap`() async throws {
        try await self.withCall { bench, session in
            try await bench.run { $0.client("call").exchange?.cancel(reason: "gone") }
            #expect(try await bench.post(#"{"jsonrpc":"2.0","id":9,"method":"ping"}"#, session: session).status == 200)
            try await bench.run { scene in
                for number in 1...EventLog.maximumEvents {
                    scene.upstream().call(0)?.send("progress", Self.progress(number))
                }
                scene.upstream().call(0)?.send("progress", Self.progress(0))
                scene.upstream().call(0)?.succeed()
            }
            let stream = try await self.streamWhenFinished(of: session, bench)
            try await bench.get("gap", session: session, lastEvent: "\(stream)-0")
            #expect(try await bench.answer("gap").status == 400)
            try await bench.get("whole", session: session, lastEvent: "\(stream)-2")
            let whole = try await bench.answer("whole")
            #expect(whole.events.count == EventLog.maximumEvents)
            #expect(whole.events.last?.body == Self.done)
        }
    }

    @Test func `give up what they keep for later, the oldest first, when all of it is too much`() async throws {
        try await self.withCall { bench, session in
            let number = try #require(SessionSeal(base64Key: SessionBench.key)?.open(session)?.number)
            try await bench.post("second", SessionCallTests.call("2"), session: session)
            try await bench.until { $0.upstream().calls.count == 2 }
            let large =
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"message":""#
                + String(repeating: "x", count: 40 << 20) + #""}}"#
            try await bench.run { scene in
                for index in 0...1 { scene.upstream().call(index)?.send("progress", large) }
            }
            let kept = { @Sendable (scene: Scene) in
                let streams = scene.worker?.sessions.live(number)?.streams.all.map(\.self) ?? []
                return streams.sorted { $0.opened < $1.opened }.map(\.keptOctets)
            }
            try await bench.until { kept($0) == [0, large.utf8.count] }
            try await bench.run { scene in
                for index in 0...1 { scene.upstream().call(index)?.succeed() }
            }
            #expect(try await bench.answer("call").body == Self.done)
        }
    }

    /// The number of the session's only stream, as its event ids spell it, once its answer is there.
    private func streamWhenFinished(of session: String, _ bench: SessionBench) async throws -> String {
        let number = try #require(SessionSeal(base64Key: SessionBench.key)?.open(session)?.number)
        for _ in 0..<100_000 {
            let found = try await bench.value { scene in
                scene.worker?.sessions.live(number)?.streams.all.first { $0.finished != nil }?.number
            }
            if let found { return String(found, radix: 36) }
        }
        throw NeverHappened()
    }

    @Test func `begin by themselves after five quiet seconds, where the revision knows events without data`()
        async throws
    {
        try await self.withCall { bench, session in
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(4)) }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(6)) }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(7)) }
            try await bench.until { $0.answer("call").isStreaming }
            try await bench.run { $0.upstream().call(0)?.succeed() }
            let answer = try await bench.answer("call")
            #expect(answer.events == [] && answer.primings.count == 1)
            #expect(answer.body == Self.done)
            try await bench.get("again", session: session, lastEvent: answer.primings.first)
            #expect(try await bench.answer("again").events.map(\.body) == [Self.done])
        }
    }

    @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18"])
    func `do not begin by themselves in older revisions, whose clients parse every event`(version: String) async throws
    {
        try await self.withCall(version: version) { bench, _ in
            try await bench.run { scene in
                scene.worker?.keepHouse(now: .now() + .seconds(60))
                scene.upstream().call(0)?.succeed()
            }
            #expect(try await bench.answer("call") == Answer(status: 200, body: Self.done))
        }
    }

    @Test func `end with the session`() async throws {
        try await self.withCall { bench, session in
            try await bench.run { $0.upstream().call(0)?.send("progress", Self.progress(1)) }
            try await bench.until { $0.answer("call").events.count == 1 }
            #expect(try await bench.delete(session: session).status == 204)
            let answer = try await bench.answer("call")
            #expect(answer.errorCode == -32800)
            try await bench.until { $0.upstream().call(0)?.failure == .cancelled(reason: "cancelled") }
        }
    }

    @Test func `of a client that reads too slowly lose progress, never the answer`() async throws {
        try await self.withCall { bench, _ in
            try await bench.run { scene in
                scene.client("call").exchange?.automaticCredit = false
                for number in 1...500 { scene.upstream().call(0)?.send("progress", Self.progress(number)) }
                scene.upstream().call(0)?.succeed()
            }
            let answer = try await bench.answer("call")
            // A window, the event that the stream begins with included.
            #expect(answer.events.count == 63)
            #expect(answer.body == Self.done)
        }
    }
}
