import BridgeCore
import BridgeMCP
import Glibc
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Session ids in requests", .timeLimit(.minutes(1))) struct SessionIdentityTests {
    private static let ping = #"{"jsonrpc":"2.0","id":7,"method":"ping"}"#

    private static func sealed(expires: UInt64, key: String = SessionBench.key) -> String? {
        SessionSeal(base64Key: key)?.seal(
            SessionClaims(
                number: 5, revision: .newest, capabilities: [], safeNames: false, principal: "local", created: 1,
                expires: expires
            )
        )
    }

    private func expectUnknown(_ session: String?, principal: String = "local", _ bench: SessionBench) async throws {
        let post = try await bench.post(Self.ping, session: session, principal: principal)
        #expect(post.status == 404)
        #expect(post.errorCode == -32000)
        #expect(post.json.value("error")?.string("message") == "Unknown MCP session ID")
        #expect(post.json.int("id") == 7)
        try await bench.get("get", session: session, principal: principal)
        #expect(try await bench.answer("get").status == 404)
        #expect(try await bench.delete(session: session, principal: principal).status == 404)
    }

    @Test func `let their own client in`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            let answer = try await bench.post(Self.ping, session: session)
            #expect(answer == Answer(status: 200, body: #"{"jsonrpc":"2.0","id":7,"result":{}}"#))
        }
    }

    @Test func `are required for everything but initialize`() async throws {
        try await SessionBench.with { bench in
            for body in [Self.ping, "[\(Self.ping)]", "[\(SessionBench.initialize)]"] {
                let answer = try await bench.post(body, session: nil)
                #expect(answer.status == 400)
                #expect(answer.errorCode == -32000)
                #expect(
                    answer.json.value("error")?.string("message")
                        == "Bad Request: initialize request or MCP-Session-Id is required"
                )
            }
            try await bench.get("get", session: nil)
            #expect(try await bench.answer("get").status == 400)
            #expect(try await bench.delete(session: nil).status == 400)
        }
    }

    @Test func `that are unknown, forged, expired or sealed with another key are 404`() async throws {
        try await SessionBench.with { bench in
            let good = try await bench.open()
            var forged = Array(good.utf8)
            forged[20] ^= 1
            let soon = UInt64(WallClock.seconds()) + 1_000
            let expired = try #require(Self.sealed(expires: 1_000))
            let foreign = try #require(Self.sealed(expires: soon, key: SessionSeal.makeKey()))
            let candidates = [
                "", "nonsense", String(decoding: forged, as: UTF8.self), good + "A", String(good.dropLast()),
                expired, foreign, String(repeating: "A", count: 5_000), "0b5fd6f5-5c3b-4f3a-9d5a-1c9d8b0f7a11",
            ]
            for candidate in candidates { try await self.expectUnknown(candidate, bench) }
            // The check is not one that refuses everything.
            #expect(try await bench.post(Self.ping, session: Self.sealed(expires: soon)).status == 200)
            #expect(try await bench.post(Self.ping, session: good).status == 200)
        }
    }

    /// Ids of sessions that are no more, for the principal `local`: all that is known of them is that they are not good.
    private func dead(_ bench: SessionBench) async throws -> [String: String] {
        let ended = try await bench.open()
        #expect(try await bench.delete(session: ended).status == 204)
        let good = try await bench.open()
        let soon = WallClock.seconds() + 1_000
        return [
            "ended": ended, "expired": try #require(Self.sealed(expires: 1_000)),
            "forged": good + "A", "another's": try await bench.open(principal: "uid:1000"), "empty": "",
            "nonsense": "0b5fd6f5-5c3b-4f3a-9d5a-1c9d8b0f7a11", "long": String(repeating: "A", count: 1_024),
            "another service's": try #require(Self.sealed(expires: soon, key: SessionSeal.makeKey())),
        ]
    }

    @Test func `of sessions that are no more do not keep a client from opening a new one`() async throws {
        try await SessionBench.with { bench in
            let usual = try await bench.post(SessionBench.initialize, session: nil)
            for (what, id) in try await self.dead(bench) {
                let answer = try await bench.post(SessionBench.initialize, session: id)
                let opened = try #require(answer.session, "\(what)")
                #expect(answer.status == 200 && answer.body == usual.body && opened != id, "\(what)")
                #expect(try await bench.post(Self.ping, session: opened).status == 200)
                // The id itself is as dead as before.
                try await self.expectUnknown(id, bench)
            }
        }
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":9,"method":"initialize","params":{}}"#,
        #"{"jsonrpc":"2.0","id":9,"method":"initialize"}"#, #"{"jsonrpc":"2.0","id":null,"method":"initialize"}"#,
    ])
    func `of sessions that are no more change nothing about how a bad initialize is refused`(body: String) async throws
    {
        try await SessionBench.with { bench in
            let usual = try await bench.post(body, session: nil)
            #expect(usual.status == 400 && usual.session == nil)
            for (what, id) in try await self.dead(bench) {
                #expect(try await bench.post(body, session: id) == usual, "\(what)")
            }
        }
    }

    @Test func `of another principal are 404, and stay good for their own`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open(principal: "uid:1000")
            for other in ["local", "uid:100", "uid:10000", "", "UID:1000"] {
                try await self.expectUnknown(session, principal: other, bench)
            }
            #expect(try await bench.post(Self.ping, session: session, principal: "uid:1000").status == 200)
        }
    }

    @Test func `are 404 once ended, for good: over a restart of the worker too`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            let other = try await bench.open()
            #expect(try await bench.delete(session: session) == Answer(status: 204))
            try await self.expectUnknown(session, bench)
            try await bench.restartWorker()
            try await self.expectUnknown(session, bench)
            try await bench.restartWorker()
            try await self.expectUnknown(session, bench)
            #expect(try await bench.post(Self.ping, session: other).status == 200)
        }
    }

    @Test func `are in the journal before their end is answered`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            let folder = bench.folder
            let number = try #require(SessionSeal(base64Key: SessionBench.key)?.open(session)?.number)
            try await bench.run { $0.request("delete", .delete, session: session) }
            // Looked at in the very turn that brings the answer.
            let line = #"{"s":"\#(String(number, radix: 16))","#
            try await bench.until { scene in
                guard scene.answer("delete").isOver else { return false }
                #expect(folder.read("sessions.journal")?.contains(line) == true)
                return true
            }
            #expect(folder.mode("sessions.journal") == 0o600)
        }
    }

    @Test func `whose end cannot be written are answered 500, and go on`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            guard mkdir(bench.folder.file("sessions.journal"), 0o700) == 0 else { throw SystemError("mkdir") }
            let answer = try await bench.delete(session: session)
            #expect(answer.status == 500)
            #expect(answer.errorCode == -32603)
            #expect(try await bench.post(Self.ping, session: session).status == 200)
            rmdir(bench.folder.file("sessions.journal"))
            #expect(try await bench.delete(session: session).status == 204)
            try await self.expectUnknown(session, bench)
        }
    }

    @Test func `outlive a torn journal: whole lines count, half ones do not`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            let other = try await bench.open()
            #expect(try await bench.delete(session: session).status == 204)
            let links = try await bench.value { $0.timesConnected }
            try await bench.flatRun { $0.stopWorker() }
            let journal = try #require(bench.folder.read("sessions.journal"))
            let number = try #require(SessionSeal(base64Key: SessionBench.key)?.open(other)?.number)
            try bench.folder.write(
                "\u{0}\u{0}\n{\"s\":\n" + journal
                    + #"{"s":"\#(String(number, radix: 16))","x":9999999999,"ended":true"#,
                to: "sessions.journal"
            )
            let configuration = bench.configuration
            try await bench.flatRun { $0.startWorker(configuration) }
            try await bench.until { $0.timesConnected > links }
            try await self.expectUnknown(session, bench)
            #expect(try await bench.post(Self.ping, session: other).status == 200)
            #expect(bench.folder.read("sessions.journal") == journal, "compacted at the start")
        }
    }

    @Test func `work on without the worker that made them`() async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open()
            try await bench.restartWorker()
            #expect(try await bench.post(Self.ping, session: session).status == 200)
        }
    }

    @Test func `let the session's memory go with its end`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            try await bench.post(
                "call", #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s.t"}}"#, session: session
            )
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run {
                $0.upstream().call(0)?.send("progress", #"{"jsonrpc":"2.0","method":"notifications/progress"}"#)
            }
            try await bench.until { $0.answer("call").events.count == 1 }
            let number = try #require(SessionSeal(base64Key: SessionBench.key)?.open(session)?.number)
            let watcher = try await bench.value { scene in
                NIOLoopBound(Weak(scene.worker?.sessions.live(number)), eventLoop: scene.loop)
            }
            try await bench.run { _ in #expect(watcher.value.session != nil) }
            #expect(try await bench.delete(session: session).status == 204)
            _ = try await bench.answer("call")
            try await bench.run { _ in #expect(watcher.value.session == nil) }
        }
    }

    private final class Weak {
        weak var session: LiveSession?
        init(_ session: LiveSession?) { self.session = session }
    }
}
