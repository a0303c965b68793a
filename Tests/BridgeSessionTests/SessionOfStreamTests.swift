import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Sessions that last as long as their stream", .timeLimit(.minutes(2))) struct SessionOfStreamTests {
    private static let list = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#
    private static let subscribe =
        #"{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"a:1"}}"#
    private static let setLevel = #"{"jsonrpc":"2.0","id":3,"method":"logging/setLevel","params":{"level":"error"}}"#

    /// Opens a stream by this name; the id by which its session is known.
    private static func open(
        _ bench: SessionBench, _ name: String = "stream", again session: String? = nil
    ) async throws -> String {
        try await bench.run { $0.request(name, .sse, session: session) }
        try await bench.until { $0.answer(name).session != nil || $0.answer(name).isOver }
        let answer = try await bench.value { $0.answer(name) }
        #expect(answer.primings.isEmpty)
        return try #require(answer.session)
    }

    private static func initialize(_ bench: SessionBench, _ session: String, _ version: String) async throws -> Answer {
        try await bench.post(
            SessionBench.initialize.replacing("2025-11-25", with: version), session: session)
    }

    private static func close(_ bench: SessionBench, _ name: String = "stream") async throws {
        try await bench.run { $0.client(name).exchange?.cancel(reason: "client gone") }
    }

    /// With a resource that one stream's session has subscribed to, and its level set; ends when its session has ended.
    private static func subscribe(_ bench: SessionBench, _ session: String) async throws {
        try await bench.until { !$0.upstream().watches.isEmpty }
        try await bench.run { scene in
            scene.upstream().onCall = { $0.succeed() }
            scene.upstream().publish([#"{"uri":"a:1","name":"x"}"#], of: .resources)
        }
        try await bench.until { $0.worker?.directory.section(.resources).entries.count == 1 }
        let answer = try await bench.post(Self.subscribe, session: session)
        #expect(answer.json.value("result") != nil)
        #expect(try await bench.post(Self.setLevel, session: session).json.value("result") != nil)
    }

    /// Sessions of this kind that are in memory.
    private static func countOfStreams(_ scene: Scene) -> Int {
        scene.worker?.sessions.all.filter(\.identity.claims.endsWithStream).count ?? 0
    }

    private static func methods(_ scene: Scene) -> [String] {
        scene.upstream().calls.map { JSONText(trusting: ByteBuffer(string: $0.request)).string("method") ?? "" }
    }

    @Test func `serve before they are initialized, and as was negotiated from then on`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let first = try await Self.open(bench)
            #expect(try await bench.post(Self.list, session: first).json.value("result") != nil)
            for version in ProtocolRevision.allCases.map(\.name) {
                let opened = try await Self.open(bench, version)
                let answer = try await Self.initialize(bench, opened, version)
                #expect(answer.json.value("result")?.string("protocolVersion") == version)
                let session = try #require(answer.session)
                #expect(session != opened)
                #expect(try await bench.post(Self.list, session: session).json.value("result") != nil)
                let revision = try await bench.value { scene in
                    scene.worker?.sessions.all.filter { !$0.listening.isEmpty }.map(\.caller.revision.name) ?? []
                }
                #expect(revision.contains(version))
                let again = try await Self.initialize(bench, session, version)
                #expect(again.errorWord == "invalid_request")
            }
        }
    }

    @Test func `are nobody else's`() async throws {
        try await SessionBench.with { bench in
            let session = try await Self.open(bench)
            #expect(try await bench.post(Self.list, session: session, principal: "uid:1").status == 404)
            try await bench.run { $0.request("other", .sse, session: session, principal: "uid:1") }
            #expect(try await bench.answer("other").status == 404)
        }
    }

    @Test func `hear on their stream what belongs to no call`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let opened = try await Self.open(bench)
            _ = try await Self.initialize(bench, opened, "2025-11-25")
            try await bench.run { $0.upstream().publish([#"{"name":"u"}"#]) }
            try await bench.until { scene in
                scene.answer("stream").events.contains { $0.body?.contains("tools/list_changed") == true }
            }
        }
    }

    @Test func `end with it: calls are cancelled, servers unsubscribed from, and nothing is remembered`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await Self.open(bench)
            try await Self.subscribe(bench, session)
            #expect(bench.folder.read("sessions.journal")?.contains("a:1") == true)
            try await bench.run { $0.upstream().onCall = nil }
            try await bench.post("call", SessionCallTests.call("9", "s.t"), session: session)
            try await bench.until { Self.methods($0).last == "tools/call" }
            try await Self.close(bench)
            try await bench.until { Self.methods($0).last == "resources/unsubscribe" }
            try await bench.run { scene in
                #expect(scene.upstream().calls.contains { $0.failure != nil })
                #expect(Self.countOfStreams(scene) == 0)
                #expect(scene.worker?.sessions.wantedLevel != .error)
            }
            try await bench.restartWorker()
            #expect(bench.folder.read("sessions.journal")?.contains("a:1") == false)
        }
    }

    @Test func `go on in the next life of the worker when their stream is opened again`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let opened = try await Self.open(bench)
            let session = try #require(try await Self.initialize(bench, opened, "2025-06-18").session)
            try await Self.subscribe(bench, session)
            try await bench.restartWorker()
            #expect(try await Self.open(bench, "again", again: session) == session)
            try await bench.until { scene in
                scene.answer("again").events.contains { $0.body?.contains("resources/updated") == true }
            }
            try await bench.run { scene in
                #expect(scene.worker?.sessions.wantedLevel == .error)
                #expect(scene.worker?.sessions.all.map(\.caller.revision) == [.v2025_06_18])
            }
        }
    }

    @Test func `that are not opened again have ended after a minute`() async throws {
        try await SessionBench.with { bench in
            let kept = try await Self.open(bench)
            try await Self.subscribe(bench, kept)
            try await Self.subscribe(bench, try await Self.open(bench, "left"))
            try await bench.restartWorker()
            _ = try await Self.open(bench, "again", again: kept)
            try await bench.until { $0.worker?.directory.section(.resources).entries.count == 1 }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(61)) }
            try await bench.restartWorker()
            let journal = bench.folder.read("sessions.journal") ?? ""
            #expect(journal.split(separator: "\n").count == 1)
        }
    }

    @Test func `end at once when the front dies`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await Self.open(bench)
            try await bench.post("call", SessionCallTests.call("9", "s.t"), session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.replaceFront() }
            try await bench.until { $0.upstream().call(0)?.failure != nil }
            try await bench.until { Self.countOfStreams($0) == 0 }
        }
    }

    @Test func `a stream that takes the place of another does not end with that one`() async throws {
        try await SessionBench.with { bench in
            let session = try await Self.open(bench)
            #expect(try await Self.open(bench, "again", again: session) == session)
            try await bench.until { $0.answer("stream").isOver }
            #expect(try await bench.value { $0.worker?.sessions.countLive } == 1)
            #expect(try await bench.value { $0.answer("again").isOver } == false)
        }
    }
}
