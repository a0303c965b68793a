import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("What belongs to no request", .timeLimit(.minutes(2))) struct SessionNotificationTests {
    private static let changed = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
    private static let cache = #"{"toolsByUpstream":{"s":[\#(Self.tool)]}}"#
    private static let tool = #"{"name":"t","inputSchema":{"type":"object"}}"#
    private static let ping = #"{"jsonrpc":"2.0","id":9,"method":"ping"}"#

    private static func log(_ level: String) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"\#(level)","data":1}}"#
    }

    private static func setLevel(_ level: String) -> String {
        #"{"jsonrpc":"2.0","id":8,"method":"logging/setLevel","params":{"level":\#(level)}}"#
    }

    private static func session(number: UInt64, created: UInt64) throws -> String {
        let claims = SessionClaims(
            number: number, revision: .newest, capabilities: [], safeNames: false, principal: "local", created: created,
            expires: .max / 4
        )
        return try #require(SessionSeal(base64Key: SessionBench.key)?.seal(claims))
    }

    @Test func `a change of the list is told to every client that listens, once`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            for number in 0..<3 {
                try await bench.get("get \(number)", session: try await bench.open())
                try await bench.until { $0.answer("get \(number)").isStreaming }
            }
            try await bench.until { $0.upstream().watches.count == 1 }
            try await bench.run { scene in
                scene.upstream().publish([Self.tool])  // as in the cache
            }
            #expect(try await bench.names(session: try await bench.open()) == ["s.t"])
            try await bench.run { scene in
                for number in 0..<3 { #expect(scene.answer("get \(number)").events.isEmpty) }
                scene.upstream().publish([Self.tool, #"{"name":"u"}"#])
            }
            try await bench.until { scene in (0..<3).allSatisfy { scene.answer("get \($0)").events.count == 1 } }
            try await bench.run { scene in
                scene.upstream().publish([Self.tool, #"{"name":"u"}"#])
            }
            #expect(try await bench.names(session: try await bench.open()) == ["s.t", "s.u"])
            try await bench.run { scene in
                for number in 0..<3 {
                    #expect(scene.answer("get \(number)").events == [Answer.Event(id: nil, body: Self.changed)])
                }
            }
        }
    }

    @Test func `a change is owed to a client that did not listen, and told when it does`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            let session = try await bench.open()
            #expect(try await bench.names(session: session) == ["s.t"])
            try await bench.publish(["t", "u"])
            try await bench.get("get", session: session)
            try await bench.until { $0.answer("get").events.count == 1 }
            try await bench.run { #expect($0.answer("get").events[0].body == Self.changed) }
            try await bench.get("again", session: session)
            try await bench.until { $0.answer("again").isStreaming }
            #expect(try await bench.post(Self.ping, session: session).status == 200)
            try await bench.run { #expect($0.answer("again").events.isEmpty, "told once") }
        }
    }

    @Test func `a change is not owed to a session that is younger`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            try await bench.publish(["t", "u"])
            let younger = try Self.session(number: 1, created: WallClock.seconds() + 10)
            let older = try Self.session(number: 2, created: WallClock.seconds() - 10)
            try await bench.get("younger", session: younger)
            try await bench.get("older", session: older)
            try await bench.until { $0.answer("older").events.count == 1 && $0.answer("younger").isStreaming }
            #expect(try await bench.post(Self.ping, session: younger).status == 200)
            try await bench.run { #expect($0.answer("younger").events.isEmpty) }
        }
    }

    @Test func `a change is owed again when the client stopped listening`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            try await bench.get("first", session: session)
            try await bench.until { $0.answer("first").isStreaming }
            try await bench.run { $0.client("first").exchange?.cancel(reason: "gone") }
            #expect(try await bench.post(Self.ping, session: session).status == 200)
            try await bench.publish(["t"])
            try await bench.get("second", session: session)
            try await bench.until { $0.answer("second").events.count == 1 }
        }
    }

    @Test func `a DELETE ends the stream of a client that listens`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            try await bench.get("get", session: session)
            try await bench.until { $0.answer("get").isStreaming }
            #expect(try await bench.delete(session: session).status == 204)
            #expect(try await bench.answer("get").status == 200)
        }
    }

    @Test func `an upstream's log message reaches whom its severity concerns`() async throws {
        try await SessionBench.with { bench in
            try await bench.until { $0.upstream().watches.count == 1 }
            let all = try await bench.open()
            let errors = try await bench.open()
            #expect(try await bench.post(Self.setLevel("\"error\""), session: errors).status == 200)
            for (name, session) in [("all", all), ("errors", errors)] {
                try await bench.get(name, session: session)
                try await bench.until { $0.answer(name).isStreaming }
            }
            let other = #"{"jsonrpc":"2.0","method":"notifications/x/changed","params":{}}"#
            try await bench.run { scene in
                for level in ["debug", "info", "warning", "error", "nonsense", "emergency"] {
                    scene.upstream().note(Self.log(level))
                }
                scene.upstream().note(other)
            }
            try await bench.until { $0.answer("all").events.count == 5 && $0.answer("errors").events.count == 3 }
            try await bench.run { scene in
                #expect(scene.answer("errors").events.map(\.body) == [Self.log("error"), Self.log("emergency"), other])
            }
        }
    }

    @Test func `an upstream's log message goes to those who use it now, if anyone does`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            let user = try await bench.open()
            let bystander = try await bench.open()
            for (name, session) in [("user", user), ("bystander", bystander)] {
                try await bench.get(name, session: session)
                try await bench.until { $0.answer(name).isStreaming }
            }
            try await bench.post("call", SessionCallTests.call(), session: user)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.upstream().note(Self.log("info")) }
            try await bench.until { $0.answer("user").events.count == 1 }
            try await bench.run { $0.upstream().call(0)?.succeed() }
            _ = try await bench.answer("call")
            try await bench.run { $0.upstream().note(Self.log("alert")) }
            try await bench.until { $0.answer("bystander").events.count == 1 }
            try await bench.run { scene in
                #expect(scene.answer("bystander").events[0].body == Self.log("alert"))
                #expect(scene.answer("user").events.count == 2)
            }
        }
    }

    @Test func `log messages of a call come on its own stream, by the session's level`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            let session = try await bench.open()
            #expect(try await bench.post(Self.setLevel("\"warning\""), session: session).status == 200)
            try await bench.post("call", SessionCallTests.call(), session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { scene in
                for level in ["info", "warning", "debug", "critical"] {
                    scene.upstream().call(0)?.send("log", Self.log(level))
                }
                scene.upstream().call(0)?.send("unheard of", Self.log("alert"))
                scene.upstream().call(0)?.succeed()
            }
            let answer = try await bench.answer("call")
            #expect(answer.events.map(\.body) == [Self.log("warning"), Self.log("critical")])
        }
    }

    @Test func `a level outlives the worker`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            let session = try await bench.open()
            #expect(try await bench.post(Self.setLevel("\"error\""), session: session).status == 200)
            try await bench.restartWorker()
            try await bench.post("call", SessionCallTests.call(), session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { scene in
                for level in ["info", "error"] { scene.upstream().call(0)?.send("log", Self.log(level)) }
                scene.upstream().call(0)?.succeed()
            }
            #expect(try await bench.answer("call").events.map(\.body) == [Self.log("error")])
        }
    }

    @Test func `levels set faster than the disk can take them are all kept, the last one counting`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            let session = try await bench.open()
            let levels = LogSeverity.allCases.map(\.rawValue)
            for number in 0..<400 {
                let body = Self.setLevel("\"\(levels[number % levels.count])\"")
                try await bench.post("set \(number)", body, session: session)
            }
            try await bench.post("last", Self.setLevel("\"critical\""), session: session)
            #expect(try await bench.answer("last").status == 200)
            try await bench.restartWorker()
            let journal = try #require(bench.folder.read("sessions.journal"))
            #expect(journal.contains(#""level":"critical"}"#))
            #expect(journal.split(separator: "\n").count == 1)
        }
    }

    @Test(arguments: ["\"loud\"", "5", "null", "\"Error\""])
    func `a level that is none is refused`(level: String) async throws {
        try await SessionBench.with { bench in
            let answer = try await bench.post(Self.setLevel(level), session: try await bench.open())
            #expect(answer.errorCode == -32602)
        }
    }

    @Test func `the supervisor is told how things are, when they are otherwise`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            try await bench.run { $0.worker?.keepHouse() }
            try await bench.until { $0.statuses.count == 1 }
            try await bench.get("get", session: try await bench.open())
            try await bench.until { $0.answer("get").isStreaming }
            try await bench.run { $0.worker?.keepHouse() }
            try await bench.until { $0.statuses.last?.contains(#""listening":1"#) == true }
            try await bench.run { $0.worker?.keepHouse() }
            #expect(try await bench.post(Self.ping, session: try await bench.open()).status == 200)
            try await bench.run { scene in
                #expect(Set(scene.statuses).count == scene.statuses.count, "nothing is told twice")
                let first = try JSONText(validating: ByteBuffer(string: scene.statuses[0]))
                let told = scene.statuses.first { $0.contains(#""listening":1"#) } ?? ""
                let last = try JSONText(validating: ByteBuffer(string: told))
                #expect(first.int("sessions") == 0 && last.int("sessions") == 1)
                #expect(first.int("listening") == 0 && last.int("listening") == 1)
                #expect(last.int("tools") == 1)
                #expect(last.value("toolCounts")?.int("s") == 1)
            }
        }
    }

    @Test func `a session that expires ends, and its streams with it`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            try await bench.get("get", session: session)
            try await bench.until { $0.answer("get").isStreaming }
            try await bench.run { scene in
                let expiry = scene.worker?.sessions.all.first { _ in true }?.identity.claims.expires ?? 0
                scene.worker?.keepHouse(time: expiry - 1)
                #expect(scene.worker?.sessions.countListening == 1)
                scene.worker?.keepHouse(time: expiry)
                #expect(scene.worker?.sessions.countLive == 0)
            }
            #expect(try await bench.answer("get").status == 200)
        }
    }

    @Test func `a session with a request that waits does not leave memory`() async throws {
        try await SessionBench.with(away: ["s"], { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s.t"}}"#
            try await bench.post("call", call, session: session)
            // What comes behind it on the same link has been answered.
            #expect(try await bench.post(Self.ping, session: session).status == 200)
            try await bench.run { scene in
                let live = scene.worker?.sessions.all.first { _ in true }
                #expect(live?.caller.calls.isEmpty == true && live?.isIdle == false)
                scene.worker?.keepHouse(now: .now() + .seconds(1_801))
                #expect(scene.worker?.sessions.countLive == 1)
            }
            #expect(try await bench.delete(session: session).status == 204)
            #expect(try await bench.answer("call").errorWord == "cancelled")
            try await bench.run { #expect($0.worker?.sessions.countLive == 0) }
        }
    }

    @Test func `an idle session leaves memory, and its id stays good`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            #expect(try await bench.post(Self.ping, session: session).status == 200)
            try await bench.run { scene in
                #expect(scene.worker?.sessions.countLive == 1)
                scene.worker?.keepHouse(now: .now() + .seconds(1_700))
                #expect(scene.worker?.sessions.countLive == 1)
                scene.worker?.keepHouse(now: .now() + .seconds(1_801))
                #expect(scene.worker?.sessions.countLive == 0)
            }
            #expect(try await bench.post(Self.ping, session: session).status == 200)
        }
    }
}
