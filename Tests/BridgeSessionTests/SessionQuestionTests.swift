import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import NIOPosix
import Testing

@testable import BridgeSession

@Suite("What servers ask in the middle of a call", .timeLimit(.minutes(2))) struct SessionQuestionTests {
    private static let question =
        #"{"jsonrpc":"2.0","id":"s","method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object","properties":{}}}}"#

    private func open(_ bench: SessionBench) async throws -> String {
        let hello = SessionBench.initialize.replacing(
            #""capabilities":{}"#, with: #""capabilities":{"elicitation":{}}"#)
        return try #require(try await bench.post(hello, session: nil).session)
    }

    /// A call, under the name `call`, whose client has been asked.
    private func ask(
        _ bench: SessionBench, _ question: String = Self.question, _ call: String = SessionCallTests.call(),
        session: String
    ) async throws {
        try await bench.post("call", call, session: session)
        try await bench.until { $0.upstream().calls.count == 1 }
        try await bench.run { $0.upstream().call(0)?.ask(1, question) }
        try await bench.until { $0.answer("call").events.contains { $0.body?.contains("elicitation/create") ?? false } }
    }

    /// The client's answer to what it was asked last.
    private func decline(_ bench: SessionBench, session: String) async throws {
        let asked = try await bench.value { scene in scene.answer("call").events.compactMap(\.body).last ?? "" }
        let id = try #require(JSONText(validating: ByteBuffer(string: asked)).string("id"))
        let answer = #"{"jsonrpc":"2.0","id":"\#(id)","result":{"action":"decline"}}"#
        #expect(try await bench.post(answer, session: session).status == 202)
    }

    @Test func `is answered in the place of a client that is gone for a minute, and put to no other session`()
        async throws
    {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await self.open(bench)
            let other = try await self.open(bench)
            try await bench.get("other", session: other)
            try await self.ask(bench, session: session)
            try await bench.run { scene in
                let client = scene.client("call").exchange
                client?.cancel(reason: "the client is gone")
            }
            try await bench.until { $0.worker?.desk.underWay == 1 }
            _ = try await bench.post(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#, session: other)
            try await bench.run { scene in
                scene.worker?.keepHouse(now: .now() + .seconds(30))
                #expect(scene.upstream().call(0)?.answers == [])
                scene.worker?.keepHouse(now: .now() + .seconds(61))
            }
            try await bench.until { $0.upstream().call(0)?.answers == [.gone(1)] }
            let told = try await bench.value { scene in scene.answer("other").events.compactMap(\.body) }
            #expect(!told.contains { $0.contains("elicitation") })
        }
    }

    @Test func `that its server takes back is forgotten with its token`() async throws {
        let asked = Self.question.replacing(
            #""message":"?""#, with: #""_meta":{"progressToken":"tok"},"message":"?""#)
        let sampling =
            #"{"jsonrpc":"2.0","id":"s2","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}"#
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await self.open(bench)
            try await self.ask(bench, asked, session: session)
            let question = try await bench.value { scene in
                scene.answer("call").events.compactMap(\.body).first { $0.contains("elicitation/create") }
            }
            let text = try JSONText(validating: ByteBuffer(string: try #require(question)))
            let token = try #require(text.value("params")?.value("_meta")?.string("progressToken"))
            let progress =
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"\#(token)","progress":1}}"#
            #expect(try await bench.post(progress, session: session).status == 202)
            try await bench.until { $0.upstream().call(0)?.answers == [.note] }
            try await bench.run { $0.upstream().call(0)?.exchange.send(header: UpstreamMessage.withdraw(1).text) }
            try await bench.until {
                $0.answer("call").events.contains { $0.body?.contains("notifications/cancelled") ?? false }
            }
            #expect(try await bench.post(progress, session: session).status == 202)
            // What is said to the upstream's worker comes in order.
            try await bench.run { $0.upstream().call(0)?.ask(2, sampling) }
            try await bench.until { $0.upstream().call(0)?.answers.contains(.declined(2)) == true }
            try await bench.run { #expect($0.upstream().call(0)?.answers == [.note, .declined(2)]) }
        }
    }

    @Test func `that is a task has an answer that counts until its call is over`() async throws {
        let wished = Self.question.replacing(#""message":"?""#, with: #""message":"?","task":{"ttl":1}"#)
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await self.open(bench)
            try await self.ask(bench, wished, session: session)
            try await self.decline(bench, session: session)
            try await bench.until { $0.upstream().call(0)?.answers.contains(.note) == true }
            try await bench.run { #expect($0.worker?.retention.answerOctets ?? 0 > 0) }
            try await bench.run { $0.upstream().call(0)?.succeed() }
            try await bench.until { $0.answer("call").isOver }
            try await bench.run { #expect($0.worker?.retention.answerOctets == 0) }
        }
    }

    @Test func `has room for an answer that is kept while all of them are within the limit`() {
        let retention = Retention(loop: NIOSingletons.posixEventLoopGroup.next())
        let kept = [retention.keep(answer: Retention.maximum - 1), retention.keep(answer: 2)]
        #expect(kept == [true, false])
        retention.forget(answers: Retention.maximum - 1)
        let isKept = retention.keep(answer: 2)
        #expect(isKept && retention.answerOctets == 2)
    }

    @Test func `stops the clock of its call here, too, until it is answered`() async throws {
        try await SessionBench.with({ $0.upstreams[0].callTimeout = 10 }) { bench in
            try await bench.publish(["t"])
            let session = try await self.open(bench)
            try await self.ask(bench, session: session)
            try await bench.run { scene in
                scene.worker?.keepHouse(now: .now() + .seconds(300))
                #expect(scene.upstream().call(0)?.failure == nil)
            }
            try await self.decline(bench, session: session)
            try await bench.until { $0.upstream().call(0)?.answers == [.answered(1)] }
            try await bench.run { $0.worker?.keepHouse(now: .now() + .seconds(300)) }
            try await bench.until { $0.upstream().call(0)?.failure != nil }
        }
    }

    @Test(arguments: [#","_meta":{"progressToken":"p"}"#, ""])
    func `is no silence for a client that wants to hear of progress, until it has answered`(rest: String) async throws {
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await self.open(bench)
            try await self.ask(bench, Self.question, SessionCallTests.call(rest: rest), session: session)
            try await bench.run { scene in
                let now = NIODeadline.now()
                for seconds: Int64 in [1, 16, 17, 32] { scene.worker?.keepHouse(now: now + .seconds(seconds)) }
                // It comes behind the question and whatever was told since.
                scene.upstream().call(0)?.send(
                    "progress",
                    #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"p","progress":0}}"#)
            }
            let expected = rest.isEmpty ? 1 : 3
            try await bench.until { scene in
                scene.answer("call").events.filter { $0.body?.contains("/progress") ?? false }.count == expected
            }
            let told = try await bench.value { scene in
                scene.answer("call").events.compactMap(\.body).filter { $0.contains("notifications/progress") }
                    .map { JSONText(trusting: ByteBuffer(string: $0)).value("params") }
            }
            #expect(told.allSatisfy { $0?.string("progressToken") == "p" })
            let values = told.compactMap { $0?.double("progress") }
            #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
            let asked = try await bench.value { scene in
                scene.answer("call").events.compactMap(\.body).first { $0.contains("elicitation/create") }
            }
            let id = try JSONText(validating: ByteBuffer(string: try #require(asked))).string("id")
            let answer = #"{"jsonrpc":"2.0","id":"\#(try #require(id))","result":{"action":"decline"}}"#
            #expect(try await bench.post(answer, session: session).status == 202)
            try await bench.until { $0.upstream().call(0)?.answers == [.answered(1)] }
            try await bench.run { scene in
                scene.worker?.keepHouse(now: .now() + .seconds(100))
                scene.upstream().call(0)?.succeed()
            }
            try await bench.until { $0.answer("call").isOver }
            let last = try await bench.value { scene in
                scene.answer("call").events.filter { $0.body?.contains("/progress") ?? false }.count
            }
            #expect(last == told.count)
        }
    }

    @Test func `that is to be a task, for a client without tasks, is kept here, and given up when its time is over`()
        async throws
    {
        let wished = Self.question.replacing(#""message":"?""#, with: #""message":"?","task":{"ttl":1}"#)
        try await SessionBench.with { bench in
            try await bench.publish(["t"])
            let session = try await self.open(bench)
            try await bench.post("call", SessionCallTests.call(), session: session)
            try await bench.until { $0.upstream().calls.count == 1 }
            try await bench.run { $0.upstream().call(0)?.ask(1, wished) }
            // The server has its task before anybody has answered.
            try await bench.until { $0.upstream().call(0)?.answers == [.answered(1)] }
            try await bench.until {
                $0.answer("call").events.contains { $0.body?.contains("elicitation/create") ?? false }
            }
            try await bench.run { scene in
                #expect(!scene.answer("call").events.contains { $0.body?.contains(#""task""#) ?? false })
                scene.worker?.keepHouse(now: .now() + .seconds(300))
                scene.worker?.keepHouse(now: .now() + .seconds(601))
            }
            try await bench.until { $0.upstream().call(0)?.answers.contains(.note) == true }
            try await bench.until {
                $0.answer("call").events.contains { $0.body?.contains("notifications/cancelled") ?? false }
            }
        }
    }
}
