import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeSession

/// What is passed on is counted as long as it is kept, and kept no longer than it may have to be sent.
@Suite("Memory of what is passed on", .timeLimit(.minutes(2))) struct SessionMemoryTests {
    private static let ping = #"{"jsonrpc":"2.0","id":9,"method":"ping"}"#

    private static func cache(_ annotations: String = "{}") -> String {
        #"{"toolsByUpstream":{"s":[{"name":"t","annotations":\#(annotations)}]}}"#
    }

    private static func call(_ id: Int, octets: Int) -> String {
        SessionCallTests.call("\(id)", rest: #","arguments":{"x":"\#(String(repeating: "x", count: octets))"}"#)
    }

    /// Looks again and again, for what nobody is told of.
    private func eventually(_ bench: SessionBench, _ condition: @escaping @Sendable (Scene) -> Bool) async throws {
        for _ in 0..<2_000 {
            if try await bench.value(condition) { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        throw NeverHappened()
    }

    @Test func `a body is counted while it waits for its upstream, and let go once it has been sent`() async throws {
        let body = Self.call(1, octets: 20_000)
        try await SessionBench.with(away: ["s"], cache: Self.cache()) { bench in
            try await bench.post("call", body, session: try await bench.open())
            try await self.eventually(bench) { $0.worker?.gate.held == body.utf8.count }
            try await bench.flatRun { $0.upstream().start() }
            try await bench.until { $0.upstream().calls.count == 1 }
            try await self.eventually(bench) { $0.worker?.gate.held == 0 }
            try await bench.run { scene in
                #expect(!scene.answer("call").isOver)
                scene.upstream().call(0)?.succeed()
            }
            #expect(try await bench.answer("call").status == 200)
        }
    }

    @Test func `a body that may be sent again is counted until its call is answered`() async throws {
        let body = Self.call(1, octets: 20_000)
        try await SessionBench.with(
            cache: Self.cache(#"{"readOnlyHint":true}"#), { $0.upstreams[0].retry = .annotated }
        ) { bench in
            try await bench.post("call", body, session: try await bench.open())
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { scene in
                #expect(scene.worker?.gate.held == body.utf8.count)
                scene.upstream().call(0)?.succeed()
            }
            _ = try await bench.answer("call")
            try await self.eventually(bench) { $0.worker?.gate.held == 0 }
        }
    }

    @Test func `what one session holds beyond its share is refused, and another's still finds room`() async throws {
        try await SessionBench.with(away: ["s"], cache: Self.cache(), { $0.workerBytes = 90_000 }) { bench in
            let (greedy, other) = (try await bench.open(), try await bench.open())
            try await bench.post("kept", Self.call(1, octets: 25_000), session: greedy)
            try await bench.post("too much", Self.call(2, octets: 25_000), session: greedy)
            try await bench.post("small", Self.call(3, octets: 100), session: greedy)
            try await bench.post("other", Self.call(1, octets: 25_000), session: other)
            try await bench.until { $0.answer("too much").failure != nil }
            try await bench.run { scene in
                #expect(scene.answer("too much").failure == .cancelled(reason: ExchangeFailure.noMemory))
                scene.upstream().onCall = { $0.succeed() }
            }
            try await bench.flatRun { $0.upstream().start() }
            for name in ["kept", "small", "other"] {
                let answer = try await bench.answer(name)
                #expect(answer.status == 200 && answer.errorCode == nil)
            }
        }
    }

    @Test func `while too many answers wait for the front no more is read of the upstreams`() async throws {
        let result = #"{"x":"\#(String(repeating: "x", count: 1 << 20))"}"#
        try await SessionBench.with(cache: Self.cache(), { $0.workerBytes = 4 << 20 }) { bench in
            let session = try await bench.open()
            for id in 0..<40 { try await bench.post("\(id)", Self.call(id, octets: 1), session: session) }
            try await bench.until { $0.upstream().calls.count == 40 }
            try await bench.run { scene in
                scene.frontReads = false
                for call in scene.upstream().calls { call.succeed(result) }
            }
            try await self.eventually(bench) { $0.worker?.directory.isReading == false }
            try await bench.run { scene in
                #expect((scene.worker?.answers.held ?? 0) < 20 << 20, "what had been read already is kept, and no more")
                scene.frontReads = true
            }
            for id in 0..<40 { #expect(try await bench.answer("\(id)").body?.utf8.count ?? 0 > 1 << 20) }
            try await self.eventually(bench) { $0.worker?.directory.isReading == true }
        }
    }
}
