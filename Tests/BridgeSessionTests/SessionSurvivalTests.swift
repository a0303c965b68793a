import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Calls and workers that die", .timeLimit(.minutes(2))) struct SessionSurvivalTests {
    private static func call(_ id: Int, _ name: String = "s.t") -> String { SessionCallTests.call("\(id)", name) }
    private static let cache = #"{"toolsByUpstream":{"s":[{"name":"t"}],"b":[{"name":"t"}]}}"#
    private static let ping = #"{"jsonrpc":"2.0","id":99,"method":"ping"}"#

    @Test func `a call that may have been written is answered once as unknown, and never sent again`() async throws {
        try await SessionBench.with(upstreams: ["s", "b"], cache: Self.cache) { bench in
            let session = try await bench.open()
            for id in 1...20 { try await bench.post("call \(id)", Self.call(id), session: session) }
            try await bench.post("other", Self.call(21, "b.t"), session: session)
            try await bench.until { $0.upstream().calls.count == 20 && $0.upstream("b").calls.count == 1 }
            try await bench.run { scene in
                scene.upstream().call(0)?.succeed()
                scene.upstream().die()
            }
            try await bench.flatRun { $0.upstream().start() }
            for id in 1...20 {
                let answer = try await bench.answer("call \(id)")
                #expect(answer.status == 200)
                if id > 1 || answer.errorCode != nil {
                    #expect(answer.errorCode == -32004)
                    #expect(answer.errorWord == "outcome_unknown")
                    #expect(answer.json.value("error")?.string("message")?.contains("'s'") == true)
                    #expect(answer.json.value("error")?.string("message")?.contains("may have run") == true)
                    #expect(answer.json.int("id") == id)
                }
            }
            // The next life of the worker serves new calls, and has not been sent an old one.
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            #expect(try await bench.post(Self.call(1), session: session).errorCode == nil)
            try await bench.run { scene in
                #expect(scene.upstream().calls.count == 21)
                #expect(!scene.answer("other").isOver, "who calls another upstream notices nothing")
                scene.upstream("b").call(0)?.succeed()
            }
            #expect(try await bench.answer("other").errorCode == nil)
        }
    }

    @Test func `a call that has not been sent waits for the worker and runs once`() async throws {
        try await SessionBench.with(away: ["s"], cache: Self.cache) { bench in
            let session = try await bench.open()
            for id in 1...5 { try await bench.post("call \(id)", Self.call(id), session: session) }
            #expect(try await bench.post(Self.ping, session: session).status == 200)
            try await bench.run { $0.upstream().onCall = { $0.succeed() } }
            try await bench.flatRun { $0.upstream().start() }
            for id in 1...5 { #expect(try await bench.answer("call \(id)").errorCode == nil) }
            try await bench.run { #expect($0.upstream().calls.map(\.id).sorted() == ["1", "2", "3", "4", "5"]) }
        }
    }

    @Test(arguments: [
        (RetryPolicy.none, #","annotations":{"readOnlyHint":true}"#, 1), (.annotated, "", 1),
        (.annotated, #","annotations":{"readOnlyHint":true}"#, 2),
        (.annotated, #","annotations":{"idempotentHint":true}"#, 2),
    ])
    func `only an annotated tool of an upstream that allows it is called again, and once`(
        policy: RetryPolicy, annotations: String, lives: Int
    ) async throws {
        let cache = #"{"toolsByUpstream":{"s":[{"name":"t"\#(annotations)}]}}"#
        try await SessionBench.with(cache: cache, { $0.upstreams[0].retry = policy }) { bench in
            let session = try await bench.open()
            try await bench.post("call", Self.call(1), session: session)
            for life in 1...lives {
                try await bench.until { $0.upstream().calls.count == life }
                try await bench.run { scene in
                    #expect(!scene.answer("call").isOver)
                    scene.upstream().die()
                }
                try await bench.flatRun { $0.upstream().start() }
            }
            #expect(try await bench.answer("call").errorCode == -32004)
            try await bench.run { scene in
                #expect(scene.upstream().calls.count == lives)
                #expect(Set(scene.upstream().calls.map(\.request)).count == 1)
            }
        }
    }

    @Test func `a call to an upstream that is removed may finish, and did not run if it was never sent`() async throws {
        try await SessionBench.with(upstreams: ["s", "b"], away: ["s"], cache: Self.cache) { bench in
            let session = try await bench.open()
            try await bench.post("waiting", Self.call(1), session: session)
            try await bench.post("in flight", Self.call(2, "b.t"), session: session)
            try await bench.until { $0.upstream("b").calls.count == 1 }
            var less = bench.configuration
            less.upstreams = []
            let next = less
            try await bench.run { $0.worker?.reconfigure(next) }
            let waiting = try await bench.answer("waiting")
            #expect(waiting.errorCode == -32003 && waiting.errorWord == "upstream_unavailable")
            try await bench.run { $0.upstream("b").calls[0].succeed(#""late""#) }
            #expect(try await bench.answer("in flight").json.string("result") == "late")
            #expect(try await bench.post(Self.call(3), session: session).errorWord == "unknown_tool")
        }
    }

    @Test func `a call in the same breath as a new configuration goes to its own upstream or to none`() async throws {
        try await SessionBench.with(upstreams: ["b", "s"], cache: Self.cache) { bench in
            let session = try await bench.open()
            try await bench.run { $0.upstream().onCall = { $0.succeed(#""s""#) } }
            try await bench.run { $0.upstream("b").onCall = { $0.succeed(#""b""#) } }
            var less = bench.configuration
            less.upstreams = [less.upstreams[1]]
            let next = less
            let worker = try await bench.value { scene in
                NIOLoopBound(scene.worker, eventLoop: scene.loop)
            }
            // The request is on the worker's doorstep when the configuration changes; it is served in that very turn.
            try await bench.run { scene in
                worker.value?.reconfigure(next)
                #expect(worker.value?.directory.find("b.t", of: .tools) == nil)
                #expect(worker.value?.directory.find("s.t", of: .tools)?.entry.upstream == 0)
                #expect(worker.value?.directory.names(of: .tools, for: nil).map(\.upstream) == ["s"])
            }
            #expect(try await bench.post(Self.call(1), session: session).json.string("result") == "s")
            #expect(try await bench.post(Self.call(2, "b.t"), session: session).errorWord == "unknown_tool")
        }
    }

    @Test func `an upstream that comes back with a new configuration is watched anew`() async throws {
        try await SessionBench.with(upstreams: ["s", "b"], cache: Self.cache, { $0.listWait = 3_600 }) { bench in
            let session = try await bench.open()
            var less = bench.configuration
            less.upstreams.removeLast()
            less.separator = "/"
            let fewer = less
            try await bench.run { $0.worker?.reconfigure(fewer) }
            #expect(try await bench.names(session: session) == ["s/t"])
            let all = bench.configuration
            try await bench.until { $0.upstream("b").watches.count == 1 }
            try await bench.run { scene in
                scene.upstream("b").publish([#"{"name":"new"}"#])
                scene.worker?.reconfigure(all)
            }
            #expect(try await bench.names(session: session) == ["b.new", "s.t"])
        }
    }

    @Test func `calls through an upstream that keeps dying all get their one answer`() async throws {
        try await SessionBench.with(cache: Self.cache) { bench in
            let session = try await bench.open()
            try await bench.run { scene in
                var served = 0
                scene.upstream().onCall = { call in
                    served += 1
                    if served % 3 == 0 { call.succeed() }
                }
            }
            for round in 0..<10 {
                for number in 0..<10 {
                    try await bench.post("\(round).\(number)", Self.call(round * 10 + number), session: session)
                }
                if round % 2 == 0 { try await bench.until { $0.upstream().calls.count > round * 5 } }
                try await bench.run { $0.upstream().die() }
                try await bench.flatRun { $0.upstream().start() }
            }
            try await bench.run { scene in
                scene.upstream().onCall = { $0.succeed() }
                for call in scene.upstream().calls where call.failure == nil { call.succeed() }
            }
            for round in 0..<10 {
                for number in 0..<10 {
                    let answer = try await bench.answer("\(round).\(number)")
                    #expect(answer.errorCode == nil || answer.errorCode == -32004)
                    #expect(answer.json.int("id") == round * 10 + number)
                }
            }
            // No call has reached the upstream twice.
            try await bench.run { scene in
                let ids = scene.upstream().calls.map(\.id)
                #expect(Set(ids).count == ids.count)
            }
        }
    }
}
