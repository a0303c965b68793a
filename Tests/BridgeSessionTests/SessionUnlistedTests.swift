import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

/// A call of a server that has never been listed is told what is wrong with that server.
@Suite("A call of a server that was never listed", .timeLimit(.minutes(2))) struct SessionUnlistedTests {
    private static func call(_ name: String) -> String {
        #"{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"\#(name)"}}"#
    }

    @Test func `says that it did not run, and what the server last said, in both spellings`() async throws {
        try await SessionBench.with(upstreams: ["s", "b"]) { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            try await bench.run { scene in
                scene.upstream("b").tell(.state, #"{"name":"b","phase":"backoff","lastError":"exited with code 3"}"#)
            }
            try await bench.until { $0.worker?.directory.upstreams[1].lastError != nil }
            for name in ["b.x", "b__x"] {
                let answer = try await bench.post(Self.call(name), session: session)
                #expect(answer.errorWord == "upstream_unavailable" && answer.errorCode == -32003)
                #expect(
                    answer.json.value("error")?.string("message")
                        == "Upstream 'b' is not available (exited with code 3); the call did not run")
            }
            for name in ["s.x", "x", "bx.y", "c.x", "b"] {
                #expect(try await bench.post(Self.call(name), session: session).errorWord == "unknown_tool", "\(name)")
            }
        }
    }

    @Test func `says so after the wait for its list, too`() async throws {
        try await SessionBench.with({ $0.listWait = 0.05 }) { bench in
            let session = try await bench.open()
            let answer = try await bench.post(Self.call("s.x"), session: session)
            #expect(answer.errorWord == "upstream_unavailable")
            #expect(answer.json.value("error")?.string("message")?.contains("it is starting") == true)
        }
    }

    @Test func `goes by the prefix that is configured, and one without a prefix may have any name`() async throws {
        try await SessionBench.with(
            upstreams: ["s", "b", "c"],
            {
                $0.upstreams[1].prefix = ""
                $0.upstreams[2].prefix = "own"
            }
        ) { bench in
            try await bench.publish(["t"])
            let session = try await bench.open()
            for (name, server) in [("own.x", "c"), ("own__x", "c"), ("c.x", "b"), ("anything", "b"), ("s.x", nil)] {
                let answer = try await bench.post(Self.call(name), session: session)
                #expect((answer.errorWord == "unknown_tool") == (server == nil), "\(name)")
                if let server {
                    #expect(answer.json.value("error")?.string("message")?.contains("'\(server)'") == true, "\(name)")
                }
            }
        }
    }

    @Test func `is unknown when the server has said that it has none`() async throws {
        try await SessionBench.with { bench in
            try await bench.publish([])
            let session = try await bench.open()
            #expect(try await bench.post(Self.call("s.x"), session: session).errorWord == "unknown_tool")
        }
    }
}

/// What a server wants to have proposed outlasts its worker, the session worker and a restart.
@Suite("What is proposed to a server", .timeLimit(.minutes(2))) struct SessionProposalTests {
    private static func cache(until: UInt64, program: String = "") -> String {
        #"{"toolsByUpstream":{},"programsByUpstream":{"s":"\#(program)"},"#
            + #""revisionsByUpstream":{"s":{"propose":"2025-03-26","until":\#(until)}}}"#
    }

    @Test func `is kept beside the lists, told before all else, and forgotten when the server takes the newest`()
        async throws
    {
        try await SessionBench.with({ $0.upstreams[0].program = "this" }) { bench in
            try await bench.run { scene in
                scene.upstream().proposed = "2025-06-18"
                scene.upstream().publish([])
            }
            try await bench.until { $0.worker?.directory.upstreams[0].proposal?.revision == .v2025_06_18 }
            try await bench.restartWorker()
            try await bench.until { !$0.upstream().watches.isEmpty }
            #expect(try await bench.value { $0.upstream().proposals } == ["2025-06-18"])
            try await bench.run { scene in
                scene.upstream().proposed = nil
                scene.upstream().publish([])
            }
            try await bench.until { $0.worker?.directory.upstreams[0].proposal == nil }
            try await bench.restartWorker()
            #expect(try await bench.value { $0.upstream().proposals } == ["2025-06-18"])
            #expect(bench.folder.read("tools-cache.json")?.contains("revisionsByUpstream") == false)
        }
    }

    @Test(arguments: [(60, "this", 1), (-60, "this", 0), (60, "another", 0), (9_999_999, "this", 0)])
    func `holds for a week, and for the program that it was found with`(
        seconds: Int, program: String, told: Int
    ) async throws {
        let until = UInt64(Int(WallClock.seconds()) + seconds)
        try await SessionBench.with(
            cache: Self.cache(until: until, program: "this"), { $0.upstreams[0].program = program }
        ) { bench in
            try await bench.until { !$0.upstream().watches.isEmpty }
            #expect(try await bench.value { $0.upstream().proposals }.count == told)
        }
    }
}

@Suite("Lists that an older version kept", .timeLimit(.minutes(2))) struct SessionOldCacheTests {
    @Test func `are shown as far as clients can read them`() async throws {
        let cache =
            #"{"toolsByUpstream":{"s":[{"name":"bare"},{"name":"bad","inputSchema":[]},{"name":"n","title":null}]}}"#
        try await SessionBench.with(away: ["s"], cache: cache) { bench in
            let session = try await bench.open()
            try await bench.post(
                "list", #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, session: session)
            let list = try await bench.answer("list").json.value("result")?.value("tools")
            #expect(
                list?.description
                    == #"[{"name":"s.bare","inputSchema":{"type":"object"}},{"name":"s.n","inputSchema":{"type":"object"}}]"#
            )
        }
    }
}
