import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

/// A server is to be connected as long as a session that is there wants to hear of its resources.
@Suite("Servers that are listened to", .timeLimit(.minutes(2))) struct SessionListenerTests {
    private static func request(_ verb: String, _ uri: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"method":"resources/\#(verb)","params":{"uri":"\#(uri)"}}"#
    }

    private static func with(
        _ adjust: (inout SessionConfiguration) -> Void = { _ in }, _ body: (SessionBench) async throws -> Void
    ) async throws {
        try await SessionBench.with(upstreams: ["s", "t"], adjust) { bench in
            try await bench.until { !$0.upstream("s").watches.isEmpty && !$0.upstream("t").watches.isEmpty }
            try await bench.run { scene in
                for name in ["s", "t"] {
                    scene.upstream(name).publish(
                        (1...2).map { #"{"uri":"\#(name):\#($0)","name":"x"}"# }, of: .resources)
                    scene.upstream(name).onCall = { $0.succeed() }
                }
            }
            try await bench.until { $0.worker?.directory.section(.resources).entries.count == 4 }
            try await body(bench)
        }
    }

    private static func keeps(_ scene: Scene) -> [Int] { ["s", "t"].map { scene.upstream($0).keeps } }

    @Test func `are kept from the first who subscribes to the last who leaves`() async throws {
        try await Self.with { bench in
            let first = try await bench.open()
            let second = try await bench.open()
            for uri in ["s:1", "s:2"] { _ = try await bench.post(Self.request("subscribe", uri), session: first) }
            _ = try await bench.post(Self.request("subscribe", "s:1"), session: second)
            try await bench.until { Self.keeps($0) == [1, 0] }
            for uri in ["s:1", "s:2"] { _ = try await bench.post(Self.request("unsubscribe", uri), session: first) }
            _ = try await bench.names(session: first)
            try await bench.run { #expect(Self.keeps($0) == [1, 0]) }
            #expect(try await bench.delete(session: second).status == 204)
            try await bench.until { Self.keeps($0) == [0, 0] }
        }
    }

    @Test func `are not kept for a session that is not there, and again when it comes back`() async throws {
        try await Self.with({ $0.idleMemory = 1 }) { bench in
            let session = try await bench.open()
            _ = try await bench.post(Self.request("subscribe", "t:1"), session: session)
            try await bench.until { Self.keeps($0) == [0, 1] }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .hours(1)) }
            try await bench.until { Self.keeps($0) == [0, 0] }
            try await bench.get("get", session: session)
            try await bench.until { Self.keeps($0) == [0, 1] }
            // Who listens is there, however long it says nothing.
            try await bench.run { $0.worker?.keepHouse(now: .now() + .hours(1)) }
            _ = try await bench.names(session: session)
            try await bench.run { #expect(Self.keeps($0) == [0, 1]) }
        }
    }

    @Test func `are kept over each link to their worker, and by each session worker`() async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            _ = try await bench.post(Self.request("subscribe", "s:1"), session: session)
            try await bench.until { Self.keeps($0) == [1, 0] }
            try await bench.run { $0.upstream("s").die() }
            try await bench.flatRun { $0.upstream("s").start() }
            try await bench.until { !$0.upstream("s").watches.isEmpty && Self.keeps($0) == [1, 0] }
            // The next session worker knows who is there only when they come.
            try await bench.restartWorker()
            try await bench.until { Self.keeps($0) == [0, 0] }
            _ = try await bench.names(session: session)
            try await bench.until { Self.keeps($0) == [1, 0] }
        }
    }

    @Test func `are let go when the configuration has them no more`() async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            _ = try await bench.post(Self.request("subscribe", "s:1"), session: session)
            _ = try await bench.post(Self.request("subscribe", "t:1"), session: session)
            try await bench.until { Self.keeps($0) == [1, 1] }
            var smaller = bench.configuration
            smaller.upstreams.removeLast()
            let (whole, part) = (bench.configuration, smaller)
            try await bench.run { $0.worker?.reconfigure(part) }
            try await bench.until { Self.keeps($0) == [1, 0] }
            // It comes back as somebody that nobody knows.
            try await bench.run { $0.worker?.reconfigure(whole) }
            try await bench.until { $0.worker?.directory.section(.resources).entries.count == 4 }
            try await bench.run { #expect(Self.keeps($0) == [1, 0]) }
        }
    }
}

/// What clients notify of that is nobody else's matter.
@Suite("Notifications of clients", .timeLimit(.minutes(2))) struct SessionClientNoticeTests {
    @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
    func `that roots have changed is accepted, and told to no server, since all share each`(version: String)
        async throws
    {
        let changed = #"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(version: version)
            // Of a session that is not in memory, and of one that is in the middle of a call.
            #expect(try await bench.post(changed, session: session) == Answer(status: 202))
            let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"s.t"}}"#
            try await bench.post("call", call, session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            #expect(try await bench.post(changed, session: session) == Answer(status: 202))
            if version == "2025-03-26" {
                #expect(try await bench.post("[\(changed),\(changed)]", session: session) == Answer(status: 202))
            }
            try await bench.run { $0.upstream().call(0)?.succeed() }
            #expect(try await bench.answer("call").status == 200)
            try await bench.run { #expect($0.upstream().calls.count == 1) }
        }
    }
}
