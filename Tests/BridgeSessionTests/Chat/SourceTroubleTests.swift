import BridgeChat
import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Clients that lend their models, in trouble", .timeLimit(.minutes(2))) struct SourceTroubleTests {
    private static func lends(_ configuration: inout SessionConfiguration) {
        configuration.chat.sources = [ChatSourceRule(name: "vs", client: "vs")]
        configuration.chat.warmsUp = false
    }

    /// Params that say so many bytes.
    private static func long(_ octets: Int) -> String {
        SessionBench.neutral.replacing("hi", with: String(repeating: "x", count: octets))
    }

    /// Seven seconds pass, and the sources are looked at before and after.
    private func passAbsence(_ bench: SessionBench) async throws {
        try await bench.pass(0)
        try await bench.pass(7)
    }

    private func busy(_ bench: SessionBench) async throws -> Int {
        try await bench.value { scene in
            scene.worker.map { worker in worker.broker.sources.values.reduce(0) { $0 + worker.broker.busy($1) } } ?? -1
        }
    }

    @Test func `a client that is asked as much as one may be is busy, and not away`() async throws {
        let most = OpenQuestions<any QuestionAsker>.maximum
        try await SessionBench.with(
            upstreams: [],
            {
                Self.lends(&$0)
                $0.chat.parallel = most
            }
        ) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            // Something else that it is asked.
            try await bench.run { scene in
                guard let source = scene.worker?.broker.sources.values.first else { return }
                _ = source.caller.questions.open(source, 1_000_000)
            }
            for number in 1...most { try await bench.chat("\(number)") }
            let questions = try await bench.questions(on: "listen", count: most - 1)
            try await self.passAbsence(bench)
            #expect(try await self.busy(bench) == most - 1)
            #expect(try await bench.value { $0.worker?.broker.countWaiting } == 1)
            try await bench.until { $0.statuses.last?.contains(#""state":"busy""#) ?? false }
            try await bench.reply(questions[0], session: session)
            _ = try await bench.questions(on: "listen", count: most)
            #expect(try await bench.value { $0.chat("\(most)").isOver } == false)
        }
    }

    @Test func `a client that reads slowly is busy, and not away`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            try await bench.chat("a")
            _ = try await bench.questions(on: "listen", count: 1)
            try await bench.run { scene in
                scene.frontReads = false
                guard let source = scene.worker?.broker.sources.values.first else { return }
                let note = ByteBuffer(string: #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
                while source.session.tell(note) {}
                #expect(source.isFull && source.isReachable)
            }
            try await bench.chat("b")
            try await bench.until { $0.worker?.broker.countWaiting == 1 }
            try await self.passAbsence(bench)
            #expect(try await self.busy(bench) == 1)
            #expect(try await bench.value { $0.worker?.broker.countWaiting } == 1)
            try await bench.run { $0.frontReads = true }
            try await bench.until { $0.questions(on: "listen").count == 2 }
            #expect(try await bench.value { [$0.chat("a").isOver, $0.chat("b").isOver] } == [false, false])
        }
    }

    @Test func `a request that is too large for now fails alone`() async throws {
        try await SessionBench.with(
            upstreams: [],
            {
                Self.lends(&$0)
                $0.workerBytes = 512 << 20
            }
        ) { bench in
            let session = try await bench.openSampler()
            try await bench.send("hook", .post, body: SessionBench.hookCall(), session: session)
            try await bench.until { $0.answer("hook").isStreaming }
            try await bench.chat("a", params: Self.long(Retention.maximum / 2 + 1))
            try await bench.until { !$0.chat("a").notes.isEmpty }
            try await bench.chat("b", params: Self.long(Retention.maximum / 2 + 1))
            try await bench.ended("b")
            let fault = try #require(try await bench.value { $0.chat("b").fault })
            #expect(fault.word == "overloaded" && !fault.sourceWasAsked)
            try await bench.chat("c")
            try await bench.until { !$0.chat("c").notes.isEmpty }
            try await bench.run { scene in
                #expect(!scene.chat("a").isOver && !scene.chat("c").isOver)
                // What no link carries is never asked.
                let endless = ByteBuffer(repeating: UInt8(ascii: "{"), count: Frame.maximumPayload)
                let source = scene.worker?.broker.sources.values.first
                #expect(throws: ChatFault.self) { try source?.way(for: JSONText(trusting: endless)) }
            }
        }
    }

    @Test func `a client that comes back is asked again what it has not seen, and nothing else`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("first", session: session)
            for name in ["a", "b", "c"] { try await bench.chat(name) }
            let asked = try await bench.questions(on: "first", count: 3)
            let seen = try #require(try await bench.value { $0.answer("first").events.first?.id })
            // It has answered one that it says it has not seen.
            try await bench.reply(asked[2], session: session)
            try await bench.run { $0.client("first").exchange?.cancel(reason: "gone") }
            try await bench.until { $0.worker?.sessions.countListening == 0 }
            try await bench.listen("second", session: session, lastEvent: seen)
            let again = try await bench.questions(on: "second", count: 1)
            #expect(again == [asked[1]])
            // This stream is lost before it has said anything: its client comes back as it did before.
            try await bench.run { $0.client("second").exchange?.cancel(reason: "gone") }
            try await bench.until { $0.worker?.sessions.countListening == 0 }
            try await bench.listen("third", session: session, lastEvent: seen)
            #expect(try await bench.questions(on: "third", count: 1).first == asked[1])
            for question in [asked[0], asked[1]] { try await bench.reply(question, session: session) }
            for name in ["a", "b", "c"] { try await bench.ended(name) }
            #expect(try await bench.value { $0.worker?.sessions.retention.questionOctets } == 0)
        }
    }

    @Test func `a call of hook keeps nothing of what came with it`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            let long = String(repeating: "x", count: 1 << 20)
            let body = SessionBench.hookCall().replacing("{}", with: #"{"input":"\#(long)"}"#)
            try await bench.send("hook", .post, body: body, session: session)
            try await bench.until { $0.answer("hook").isStreaming }
            #expect(try await bench.value { $0.worker?.gate.held } == 0)
            #expect(try await bench.value { $0.answer("hook").isOver } == false)
        }
    }

    @Test func `who does not say what it has seen is asked nothing twice`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("first", session: session)
            try await bench.chat("a")
            let asked = try await bench.questions(on: "first", count: 1)
            let seen = try #require(try await bench.value { $0.answer("first").events.first?.id })
            let returns: [(name: String, event: String?)] = [
                ("second", nil), ("third", seen), ("fourth", "listen.0"), ("fifth", "listen.0.7"),
            ]
            for (name, event) in returns {
                try await bench.listen(name, session: session, lastEvent: event)
                #expect(try await bench.value { $0.questions(on: name).isEmpty }, "\(name)")
            }
            try await bench.reply(asked[0], session: session)
            try await bench.ended("a")
        }
    }

    /// The client of a stream is gone, and the front knows what has left.
    private func end(_ stream: String, leaving event: String?, _ bench: SessionBench) async throws {
        try await bench.run { $0.client(stream).exchange?.end(header: StreamLeft(event ?? "").text) }
        try await bench.until { $0.worker?.sessions.countListening == 0 }
    }

    @Test func `what has not left for a client is asked on its next stream, whatever that says`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("first", session: session)
            for name in ["a", "b"] { try await bench.chat(name) }
            let asked = try await bench.questions(on: "first", count: 2)
            let left = try #require(try await bench.value { $0.answer("first").events.first?.id })
            try await self.end("first", leaving: left, bench)
            try await bench.listen("second", session: session)
            #expect(try await bench.questions(on: "second", count: 1) == [asked[1]])
            // Of this one nothing at all has left. Its client says what it had read before.
            try await self.end("second", leaving: nil, bench)
            try await bench.listen("third", session: session, lastEvent: left)
            #expect(try await bench.questions(on: "third", count: 1) == [asked[1]])
            for question in asked { try await bench.reply(question, session: session) }
            for name in ["a", "b"] { try await bench.ended(name) }
            #expect(try await bench.value { [$0.chat("a").fault, $0.chat("b").fault] } == [nil, nil])
            #expect(try await bench.value { $0.worker?.sessions.retention.questionOctets } == 0)
        }
    }

    @Test func `what has not left on one stream is asked on another that there is`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("first", session: session)
            try await bench.chat("a")
            let asked = try await bench.questions(on: "first", count: 1)
            try await bench.listen("second", session: session)
            #expect(try await bench.value { $0.questions(on: "second").isEmpty })
            try await bench.run { $0.client("first").exchange?.end(header: StreamLeft("listen.zz.5").text) }
            #expect(try await bench.questions(on: "second", count: 1) == asked)
            try await bench.reply(asked[0], session: session)
            try await bench.ended("a")
        }
    }

    @Test func `where no stream comes, what has not left was not asked`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("first", session: session)
            for name in ["a", "b"] { try await bench.chat(name) }
            _ = try await bench.questions(on: "first", count: 2)
            let left = try #require(try await bench.value { $0.answer("first").events.first?.id })
            try await self.end("first", leaving: left, bench)
            try await self.passAbsence(bench)
            for name in ["a", "b"] { try await bench.ended(name) }
            let faults = try await bench.value { [$0.chat("a").fault, $0.chat("b").fault] }
            #expect(faults.map { $0?.word } == ["source_lost", "source_not_ready"])
            #expect(faults.map { $0?.sourceWasAsked } == [true, false])
        }
    }

    @Test func `what waits goes to a client as soon as it listens`() async throws {
        try await SessionBench.with(
            upstreams: [],
            {
                Self.lends(&$0)
                $0.chat.parallel = 1
            }
        ) { bench in
            let busy = try await bench.openSampler()
            try await bench.listen("busy", session: busy)
            let idle = try await bench.openSampler()
            try await bench.send(
                "list", .post, body: #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, session: idle)
            _ = try await bench.answer("list")
            try await bench.chat("a")
            try await bench.chat("b")
            try await bench.until { $0.worker?.broker.countWaiting == 1 }
            try await bench.listen("idle", session: idle)
            #expect(try await bench.value { $0.worker?.broker.countWaiting } == 0)
            _ = try await bench.questions(on: "idle", count: 1)
        }
    }
}

@Suite("What sources say, in the log") struct SourceWordsTests {
    @Test func `is short, on one line, and without secrets`() {
        let words = ChatBroker.logged("no\nmcpb_abc " + String(repeating: "é", count: 10_000))
        #expect(words.hasPrefix("no?mcpb_*** é") && words.utf8.count <= 260)
    }
}

@Suite("How far a client has read a stream") struct ListeningPlaceTests {
    @Test func `ids are read as they are written, and those of other streams are none`() {
        for place in [ListeningPlace(stream: 77, position: 0), ListeningPlace(stream: .max, position: 12)] {
            #expect(ListeningPlace(place.id) == place)
            #expect(EventLog.parse(place.id) == nil)
        }
        for id in ["", "listen", "listen.", "listen.-1", "listen.1.", "listen.1.-2", "listen.1.2.3", "1x-3", "other.1"]
        {
            #expect(ListeningPlace(id) == nil, "\(id)")
        }
    }

    @Test func `what is beyond a place is what follows it on the same stream`() {
        let second = ListeningPlace(stream: 1, position: 2)
        #expect(second.isBeyond(ListeningPlace(stream: 1, position: 1)))
        #expect(!second.isBeyond(second) && !second.isBeyond(ListeningPlace(stream: 2, position: 0)))
    }
}
