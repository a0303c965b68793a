import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("How event streams begin", .timeLimit(.minutes(2))) struct SessionStreamBeginningTests {
    private static let call = SessionCallTests.call("1", "s.t", rest: #","_meta":{"progressToken":"p"}"#)
    private static let done = #"{"jsonrpc":"2.0","id":1,"result":{}}"#

    private static func progress(_ number: Int) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":\#(number)}}"#
    }

    private func withCall(
        _ revision: ProtocolRevision, _ body: (SessionBench, String) async throws -> Void
    ) async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await bench.open(version: revision.name)
            try await bench.post("call", Self.call, session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await body(bench, session)
        }
    }

    @Test(arguments: ProtocolRevision.allCases)
    func `that of a call with an event to come back to, where the revision has it`(revision: ProtocolRevision)
        async throws
    {
        try await self.withCall(revision) { bench, session in
            try await bench.run { scene in
                scene.upstream().call(0)?.send("progress", Self.progress(1))
                scene.upstream().call(0)?.succeed()
            }
            let answer = try await bench.answer("call")
            #expect(answer.events.map(\.body) == [Self.progress(1)] && answer.body == Self.done)
            #expect(answer.primings.count == (revision == .v2025_11_25 ? 1 : 0))
            for id in answer.primings {
                try await bench.get("again", session: session, lastEvent: id)
                #expect(try await bench.answer("again").events.map(\.body) == [Self.progress(1), Self.done])
            }
        }
    }

    @Test(arguments: ProtocolRevision.allCases)
    func `no stream at all for an answer that needs none`(revision: ProtocolRevision) async throws {
        try await self.withCall(revision) { bench, _ in
            try await bench.run { $0.upstream().call(0)?.succeed() }
            #expect(try await bench.answer("call") == Answer(status: 200, body: Self.done))
        }
    }

    @Test(arguments: ProtocolRevision.allCases)
    func `that of a GET at once, and who comes back after it listens anew`(revision: ProtocolRevision) async throws {
        try await SessionBench.with { bench in
            let session = try await bench.open(version: revision.name)
            try await bench.get("get", session: session)
            try await bench.until { $0.answer("get").isStreaming }
            let first = try await bench.value { $0.answer("get") }
            #expect(first.events == [] && first.primings.count == (revision == .v2025_11_25 ? 1 : 0))
            for id in first.primings {
                try await bench.get("again", session: session, lastEvent: id)
                try await bench.until { $0.answer("again").isStreaming }
                let again = try await bench.value { $0.answer("again") }
                #expect(!again.isOver && again.primings.count == 1 && again.primings != first.primings)
            }
        }
    }

    @Test func `what is come back to begins where its client stands, or anew where nothing was missed`() async throws {
        try await self.withCall(.v2025_11_25) { bench, session in
            try await bench.run { scene in
                for number in 1...2 { scene.upstream().call(0)?.send("progress", Self.progress(number)) }
            }
            try await bench.until { $0.answer("call").events.count == 2 }
            let seen = try await bench.value { $0.answer("call").events.compactMap(\.id) }
            try #require(seen.count == 2)
            try await bench.get("missed one", session: session, lastEvent: seen[0])
            try await bench.until { $0.answer("missed one").events.count == 1 }
            try await bench.get("missed none", session: session, lastEvent: seen[1])
            try await bench.until { $0.answer("missed none").isStreaming }
            let missedOne = try await bench.value { $0.answer("missed one").primings }
            let missedNone = try await bench.value { $0.answer("missed none").primings }
            #expect(missedOne == [seen[0]])
            #expect(missedNone.count == 1 && Set(missedNone).isDisjoint(with: seen))
            try await bench.run { $0.upstream().call(0)?.succeed() }
            let last = try await bench.answer("missed none")
            #expect(last.body == Self.done)
            // After the new event, too, there is what came later.
            try await bench.get("later", session: session, lastEvent: last.primings.first)
            #expect(try await bench.answer("later").events.map(\.body) == [Self.done])
        }
    }
}
