import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

/// What is asked of the servers that may have a resource, one after the other, besides reading it.
@Suite("Subscriptions and completions where several servers may have it", .timeLimit(.minutes(2)))
struct SessionCandidateTests {
    private static func request(_ verb: String, id: Int = 1) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"resources/\#(verb)","params":{"uri":"a:1"}}"#
    }

    private static let completion =
        #"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"a:{x}"},"argument":{"name":"x","value":""}}}"#
    private static let updated =
        #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1"}}"#
    private static let notFound = #"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"Resource not found"}}"#

    /// `one` lists `a:1`; `two` and `three` have the template `a:{x}`.
    private static func with(_ body: (SessionBench) async throws -> Void) async throws {
        let names = ["one", "two", "three"]
        try await SessionBench.with(upstreams: names) { bench in
            try await bench.until { scene in names.allSatisfy { !scene.upstream($0).watches.isEmpty } }
            try await bench.run { scene in
                scene.upstream("one").publish([#"{"uri":"a:1","name":"x"}"#], of: .resources)
                for name in ["two", "three"] {
                    scene.upstream(name).publish([#"{"uriTemplate":"a:{x}","name":"x"}"#], of: .templates)
                }
            }
            try await bench.until { scene in
                let upstreams = scene.worker?.directory.upstreams ?? []
                return upstreams.count == 3 && upstreams[0].list(of: .resources) != nil
                    && upstreams[1...].allSatisfy { $0.list(of: .templates) != nil }
            }
            try await body(bench)
        }
    }

    private static func methods(_ scene: Scene, _ name: String) -> [String] {
        scene.upstream(name).calls.map {
            String(JSONText(trusting: ByteBuffer(string: $0.request)).string("method")?.split(separator: "/")[1] ?? "")
        }
    }

    /// The next one answers `reply`, as soon as it is asked for the so-manieth time.
    private static func answer(
        _ bench: SessionBench, _ name: String, call: Int = 0, _ reply: String?
    ) async throws {
        try await bench.until { $0.upstream(name).calls.count > call }
        try await bench.run { scene in
            if let reply {
                scene.upstream(name).call(call)?.answer(reply)
            } else {
                scene.upstream(name).call(call)?.succeed()
            }
        }
    }

    // MARK: Subscriptions

    @Test(arguments: [
        Self.notFound, #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown resource a:1"}}"#,
    ])
    func `who has no such resource is followed by the next, whose news counts`(_ refusal: String) async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("subscribe", Self.request("subscribe"), session: session)
            try await Self.answer(bench, "one", refusal)
            try await Self.answer(bench, "two", nil)
            #expect(try await bench.answer("subscribe").json.value("result")?.description == "{}")
            try await bench.get("get", session: session)
            try await bench.until { $0.answer("get").isStreaming }
            let told: @Sendable (Scene) -> Int = { scene in
                scene.answer("get").events.filter { $0.body == Self.updated }.count
            }
            // What another says of the same URI is not what was subscribed to.
            try await bench.run { $0.upstream("one").note(Self.updated) }
            try await bench.run { $0.upstream("two").note(Self.updated) }
            try await bench.until { told($0) > 0 }
            _ = try await bench.names(session: session)
            try await bench.run { scene in
                #expect(told(scene) == 1)
                #expect(Self.methods(scene, "three").isEmpty)
                scene.upstream("two").onCall = { $0.succeed() }
            }
            // It is held where it was taken, over each connection, until it is let go.
            try await bench.run { $0.upstream("two").tellIdentity() }
            try await bench.until { Self.methods($0, "two") == ["subscribe", "subscribe"] }
            #expect(try await bench.post(Self.request("unsubscribe"), session: session).errorCode == nil)
            try await bench.until { Self.methods($0, "two") == ["subscribe", "subscribe", "unsubscribe"] }
            try await bench.run { #expect(Self.methods($0, "one") == ["subscribe"]) }
        }
    }

    @Test func `the last refusal is the answer of all who wait, and nothing is held`() async throws {
        try await Self.with { bench in
            let sessions = [try await bench.open(), try await bench.open()]
            for (index, session) in sessions.enumerated() {
                try await bench.post("\(index)", Self.request("subscribe"), session: session)
            }
            for name in ["one", "two", "three"] { try await Self.answer(bench, name, Self.notFound) }
            for index in 0..<2 { #expect(try await bench.answer("\(index)").errorCode == -32002) }
            // Each is asked anew by whoever comes.
            try await bench.post("again", Self.request("subscribe"), session: sessions[0])
            try await bench.until { $0.upstream("one").calls.count == 2 }
            try await bench.run { scene in
                #expect(["one", "two", "three"].map { scene.upstream($0).keeps } == [0, 0, 0])
            }
        }
    }

    @Test(arguments: [-32601, -32603])
    func `any other error is the answer`(_ code: Int) async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("subscribe", Self.request("subscribe"), session: session)
            try await Self.answer(
                bench, "one", #"{"jsonrpc":"2.0","id":1,"error":{"code":\#(code),"message":"no"}}"#)
            #expect(try await bench.answer("subscribe").errorCode == code)
            try await bench.run { #expect(Self.methods($0, "two").isEmpty) }
        }
    }

    @Test func `who joins while the second is asked gets its answer, and whoever is last leaves it`() async throws {
        try await Self.with { bench in
            let sessions = [try await bench.open(), try await bench.open()]
            try await bench.post("0", Self.request("subscribe"), session: sessions[0])
            try await Self.answer(bench, "one", Self.notFound)
            try await bench.until { $0.upstream("two").calls.count == 1 }
            try await bench.post("1", Self.request("subscribe", id: 7), session: sessions[1])
            _ = try await bench.names(session: sessions[1])
            try await Self.answer(bench, "two", nil)
            #expect(try await bench.answer("0").errorCode == nil)
            #expect(try await bench.answer("1").json.int("id") == 7)
            try await bench.run { $0.upstream("two").onCall = { $0.succeed() } }
            for session in sessions {
                try await bench.run { #expect(Self.methods($0, "two") == ["subscribe"]) }
                _ = try await bench.post(Self.request("unsubscribe"), session: session)
            }
            try await bench.until { Self.methods($0, "two") == ["subscribe", "unsubscribe"] }
            try await bench.run { #expect(Self.methods($0, "one") == ["subscribe"]) }
        }
    }

    @Test func `a subscription is not lost to somebody who leaves the same server meanwhile`() async throws {
        try await Self.with { bench in
            // Somebody holds it at the second server, from when the first said that it has none.
            let leaving = try await bench.open()
            try await bench.post("leaving", Self.request("subscribe"), session: leaving)
            try await Self.answer(bench, "one", Self.notFound)
            try await Self.answer(bench, "two", nil)
            _ = try await bench.answer("leaving")
            let coming = try await bench.open()
            try await bench.post("coming", Self.request("subscribe"), session: coming)
            try await Self.answer(bench, "one", call: 1, Self.notFound)
            try await bench.until { $0.upstream("two").calls.count == 2 }
            // The server hears: subscribe, unsubscribe. In this order it would end with nothing.
            try await bench.post("left", Self.request("unsubscribe"), session: leaving)
            try await bench.until { Self.methods($0, "two") == ["subscribe", "subscribe", "unsubscribe"] }
            try await Self.answer(bench, "two", call: 1, nil)
            #expect(try await bench.answer("coming").errorCode == nil)
            try await bench.until { Self.methods($0, "two").suffix(2) == ["unsubscribe", "subscribe"] }
        }
    }

    @Test func `who takes it back while the second is asked has it unsubscribed there`() async throws {
        try await Self.with { bench in
            let session = try await bench.open()
            try await bench.post("subscribe", Self.request("subscribe"), session: session)
            try await Self.answer(bench, "one", Self.notFound)
            try await bench.until { $0.upstream("two").calls.count == 1 }
            let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
            _ = try await bench.post(cancel, session: session)
            #expect(try await bench.answer("subscribe").body == nil)
            try await bench.until { Self.methods($0, "two") == ["subscribe", "unsubscribe"] }
            try await bench.run { #expect(Self.methods($0, "one") == ["subscribe"]) }
        }
    }

    // MARK: Completions

    @Test func `a completion goes to each server that has the template, by its exact text`() async throws {
        try await Self.with { bench in
            try await bench.run { scene in
                for name in ["one", "two", "three"] {
                    scene.upstream(name).capabilities.insert("completions")
                    scene.upstream(name).tellIdentity()
                }
            }
            try await bench.until { scene in
                scene.worker?.directory.upstreams.allSatisfy { $0.capabilities.member("completions") != nil } ?? false
            }
            try await bench.post("complete", Self.completion, session: try await bench.open())
            try await Self.answer(bench, "two", Self.notFound)
            try await bench.until { $0.upstream("three").calls.count == 1 }
            let values = #"{"completion":{"values":["v"]}}"#
            try await bench.run { $0.upstream("three").call(0)?.succeed(values) }
            #expect(try await bench.answer("complete").json.value("result")?.description == values)
            try await bench.run { #expect($0.upstream("one").calls.isEmpty) }
        }
    }

    @Test func `a server without completions is passed over for one that has them`() async throws {
        try await Self.with { bench in
            try await bench.run { scene in
                scene.upstream("three").capabilities.insert("completions")
                scene.upstream("three").tellIdentity()
            }
            try await bench.until { $0.worker?.directory.upstreams[2].capabilities.member("completions") != nil }
            try await bench.post("complete", Self.completion, session: try await bench.open())
            // Nothing to suggest is an answer like any other.
            let values = #"{"completion":{"values":[]}}"#
            try await bench.until { $0.upstream("three").calls.count == 1 }
            try await bench.run { $0.upstream("three").call(0)?.succeed(values) }
            #expect(try await bench.answer("complete").json.value("result")?.description == values)
            try await bench.run { #expect($0.upstream("two").calls.isEmpty) }
        }
    }
}
