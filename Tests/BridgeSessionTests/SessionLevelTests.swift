import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Log levels of sessions", .timeLimit(.minutes(2))) struct SessionLevelTests {
    private static let ping = #"{"jsonrpc":"2.0","id":9,"method":"ping"}"#

    private static func setLevel(_ level: String) -> String {
        #"{"jsonrpc":"2.0","id":8,"method":"logging/setLevel","params":{"level":"\#(level)"}}"#
    }

    private static func log(_ level: String) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"\#(level)","data":1}}"#
    }

    /// With one upstream that takes log levels and one that does not, and no session yet.
    private func withLoggingUpstream(_ body: (SessionBench) async throws -> Void) async throws {
        try await SessionBench.with(upstreams: ["s", "mute"]) { bench in
            try await bench.until { $0.upstream().watches.count == 1 && $0.upstream("mute").watches.count == 1 }
            try await bench.run { scene in
                scene.upstream().takesLogLevel = true
                for name in ["s", "mute"] { scene.upstream(name).publish([#"{"name":"t"}"#]) }
            }
            try await bench.until { $0.worker?.directory.section(.tools).entries.count == 2 }
            try await body(bench)
            try await bench.run { #expect($0.upstream("mute").levels.isEmpty) }
        }
    }

    @Test func `an upstream has the lowest level of all sessions, one without a level counting as info`() async throws {
        try await self.withLoggingUpstream { bench in
            let first = try await bench.open()
            let second = try await bench.open()
            try await bench.run { #expect($0.upstream().levels.isEmpty, "nobody has set one") }
            for (level, session, expected) in [
                ("error", first, ["info"]), ("warning", second, ["info", "warning"]),
                ("debug", first, ["info", "warning", "debug"]),
                ("critical", first, ["info", "warning", "debug", "warning"]),
            ] {
                _ = try await bench.post(Self.setLevel(level), session: session)
                try await bench.until { $0.upstream().levels == expected }
            }
            let third = try await bench.open()
            try await bench.until { $0.upstream().levels.last == "info" }
            #expect(try await bench.delete(session: third).status == 204)
            try await bench.until { $0.upstream().levels.last == "warning" }
            #expect(try await bench.delete(session: second).status == 204)
            try await bench.until { $0.upstream().levels.last == "critical" }
            #expect(try await bench.delete(session: first).status == 204)
            try await bench.until { $0.upstream().levels.last == "info" }
        }
    }

    @Test func `the next life of an upstream's worker is told the level, and a catalogue that comes again is not`()
        async throws
    {
        try await self.withLoggingUpstream { bench in
            let session = try await bench.open()
            _ = try await bench.post(Self.setLevel("error"), session: session)
            try await bench.until { $0.upstream().levels == ["error"] }
            try await bench.run { scene in
                scene.upstream().publish([#"{"name":"t"}"#, #"{"name":"u"}"#])
            }
            try await bench.until { $0.worker?.directory.section(.tools).entries.count == 3 }
            try await bench.run { $0.upstream().die() }
            try await bench.flatRun { $0.upstream().start() }
            try await bench.until { $0.upstream().levels.count == 2 }
            try await bench.run { #expect($0.upstream().levels == ["error", "error"]) }
        }
    }

    @Test func `a level outlives the session worker, and counts in the next`() async throws {
        try await self.withLoggingUpstream { bench in
            let session = try await bench.open()
            _ = try await bench.post(Self.setLevel("error"), session: session)
            try await bench.restartWorker()
            try await bench.until { $0.upstream().levels == ["error", "error"] }
            _ = try await bench.open()
            try await bench.until { $0.upstream().levels.last == "info" }
        }
    }

    @Test func `one session's level silences no other; one without a level hears info and above`() async throws {
        try await self.withLoggingUpstream { bench in
            let silent = try await bench.open()
            let curious = try await bench.open()
            let unset = try await bench.open()
            _ = try await bench.post(Self.setLevel("error"), session: silent)
            _ = try await bench.post(Self.setLevel("debug"), session: curious)
            let sessions = [("silent", silent), ("curious", curious), ("unset", unset)]
            for (name, session) in sessions {
                try await bench.get(name, session: session)
                try await bench.until { $0.answer(name).isStreaming }
            }
            try await bench.run { scene in
                for level in ["debug", "info", "error"] { scene.upstream().note(Self.log(level)) }
            }
            try await bench.until { scene in
                sessions.allSatisfy { scene.answer($0.0).events.last?.body == Self.log("error") }
            }
            try await bench.run { scene in
                func heard(_ name: String) -> [String] {
                    scene.answer(name).events.compactMap(\.body).filter { $0.contains("notifications/message") }
                }
                #expect(heard("silent") == ["error"].map(Self.log))
                #expect(heard("curious") == ["debug", "info", "error"].map(Self.log))
                #expect(heard("unset") == ["info", "error"].map(Self.log))
            }
        }
    }

    @Test func `who makes one entry too many in the ledger is told overloaded, and its session goes on`() async throws {
        try await SessionBench.with(ledger: SessionLedger(maximumOfPrincipal: 1, maximum: 2)) { bench in
            let first = try await bench.open(principal: "a")
            let second = try await bench.open(principal: "a")
            let other = try await bench.open(principal: "b")
            #expect(try await bench.delete(session: first, principal: "a").status == 204)
            let refused = try await bench.delete(session: second, principal: "a")
            #expect(refused.status == 503 && refused.errorWord == "overloaded")
            let level = try await bench.post(Self.setLevel("error"), session: second, principal: "a")
            #expect(level.errorWord == "overloaded")
            #expect(try await bench.post(Self.ping, session: second, principal: "a").status == 200)
            #expect(try await bench.post(Self.ping, session: first, principal: "a").status == 404)
            #expect(try await bench.delete(session: other, principal: "b").status == 204)
        }
    }
}
