import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Clients that lend their models", .timeLimit(.minutes(2))) struct SessionSourceTests {
    private static func lends(_ configuration: inout SessionConfiguration) {
        configuration.chat.sources = [ChatSourceRule(name: "vs", client: "vs")]
        configuration.chat.warmsUp = false
    }

    @Test func `a request is answered by the source, with what was asked of it`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            try await bench.chat("a", model: "gpt-5", maximumTokens: 7)
            let question = try #require(try await bench.questions(on: "listen", count: 1).first)
            let params = try #require(question.value("params"))
            #expect(params.int("maxTokens") == 7)
            #expect(params.value("modelPreferences")?.value("hints")?.description == #"[{"name":"gpt-5"}]"#)
            #expect(params.value("messages")?.description.contains("hi") == true)
            #expect(params.value("_meta")?.string("progressToken") == question.string("id"))
            #expect(try await bench.value { $0.chat("a").notes } == [.asked(source: "vs")])
            try await bench.reply(question, session: session)
            try await bench.ended("a")
            try await bench.run { scene in
                #expect(scene.chat("a").end == .answered(ChatSourceRemarks(source: "vs")))
                #expect(scene.chat("a").body == SessionBench.completion)
            }
        }
    }

    @Test func `what VS Code takes no notice of is told as ignored`() async throws {
        let name = "Visual Studio Code"
        try await SessionBench.with(
            upstreams: [],
            {
                $0.chat.sources = [ChatSourceRule(name: "vs", client: name)]
                $0.chat.warmsUp = false
            }
        ) { bench in
            let session = try await bench.openSampler(name, capabilities: #"{"sampling":{}}"#)
            try await bench.listen("listen", session: session)
            let params = #"\#(SessionBench.neutral.dropLast()),"temperature":0.5}"#
            try await bench.chat("a", maximumTokens: 7, params: params)
            let question = try #require(try await bench.questions(on: "listen", count: 1).first)
            try await bench.reply(question, session: session)
            try await bench.ended("a")
            let told = ChatSourceRemarks(source: "vs", ignored: ["temperature", "max_tokens"])
            #expect(try await bench.value { $0.chat("a").end } == .answered(told))
        }
    }

    /// Each of these can sample, and none of them is to be asked.
    private static let strangers: [(name: String, client: String, mayLend: Bool, capabilities: String)] = [
        ("a token without the scope", "vs", false, #"{"sampling":{}}"#),
        ("a client that is not named", "other", true, #"{"sampling":{}}"#),
        ("a client that cannot sample", "vs", true, "{}"),
    ]

    @Test(arguments: 0..<3) func `nobody is a source by accident`(index: Int) async throws {
        let stranger = Self.strangers[index]
        try await SessionBench.with(upstreams: [], { $0.chat.sources = [ChatSourceRule(name: "vs", client: "vs")] }) {
            bench in
            let session = try await bench.openSampler(
                stranger.client, mayLend: stranger.mayLend, capabilities: stranger.capabilities)
            try await bench.listen("listen", session: session, mayLend: stranger.mayLend)
            try await bench.send(
                "hook", .post, body: SessionBench.hookCall(), session: session, mayLend: stranger.mayLend)
            #expect(try await bench.answer("hook").json.value("error") != nil, "\(stranger.name)")
            try await bench.send(
                "list", .post, body: #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, session: session,
                mayLend: stranger.mayLend)
            #expect(SessionBench.names(in: try await bench.answer("list")) == [])
            try await bench.chat("a", params: SessionBench.neutral.replacing("hi", with: "secret prompt"))
            try await bench.ended("a")
            try await bench.pass(600)
            try await bench.run { scene in
                #expect(scene.chat("a").fault?.word == "no_source")
                #expect(scene.answer("listen").events.isEmpty)
                #expect(scene.worker?.broker.sources.isEmpty == true)
            }
        }
    }

    @Test func `a call of hook stays open, and several requests go out inside it at once`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.send(
                "list", .post, body: #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, session: session)
            #expect(SessionBench.names(in: try await bench.answer("list")) == ["hook"])
            try await bench.listen("listen", session: session)
            try await bench.send(
                "hook", .post, body: SessionBench.hookCall(more: #","_meta":{"progressToken":"p"}"#), session: session)
            try await bench.until { $0.answer("hook").isStreaming }
            for name in ["a", "b", "c"] { try await bench.chat(name) }
            let questions = try await bench.questions(on: "hook", count: 3)
            for question in questions.reversed() { try await bench.reply(question, session: session) }
            for name in ["a", "b", "c"] { try await bench.ended(name) }
            try await bench.pass(16)
            try await bench.until {
                !$0.messages(on: "hook").filter { $0.string("method") == "notifications/progress" }.isEmpty
            }
            try await bench.run { scene in
                #expect(scene.questions(on: "listen").isEmpty)
                #expect(!scene.answer("hook").isOver)
            }
        }
    }

    @Test func `a source is asked for one word first, and left alone when it refuses`() async throws {
        try await SessionBench.with(upstreams: [], { $0.chat.sources = [ChatSourceRule(name: "vs", client: "vs")] }) {
            bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            try await bench.chat("early")
            try await bench.ended("early")
            #expect(try await bench.value { $0.chat("early").fault?.word } == "source_not_ready")
            let first = try #require(try await bench.questions(on: "listen", count: 1).first)
            #expect(first.value("params")?.int("maxTokens") == 1)
            try await bench.reply(first, #""error":{"code":-1,"message":"User rejected"}"#, session: session)
            try await bench.pass(10_000)
            #expect(try await bench.value { $0.questions(on: "listen").count } == 1)
            try await bench.until { $0.statuses.last?.contains("refused; asked again") ?? false }
            try await bench.send("hook", .post, body: SessionBench.hookCall(), session: session)
            try await bench.pass(2)
            let second = try #require(try await bench.questions(on: "hook", count: 1).first)
            try await bench.reply(second, session: session)
            try await bench.run { $0.chat("models", .models) }
            try await bench.ended("models")
            try await bench.run { scene in
                #expect(scene.chat("models").models == ChatModels(isReady: true))
                #expect(scene.chat("models").body == #"["mcp-external-sampling"]"#)
            }
            try await bench.chat("late")
            #expect(try await bench.questions(on: "hook", count: 2).count == 2)
        }
    }

    @Test func `a client that is not waited for any more is not asked any more`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            try await bench.chat("a")
            let question = try #require(try await bench.questions(on: "listen", count: 1).first)
            try await bench.run { $0.chat("a").exchange?.cancel(reason: "client gone") }
            try await bench.until { scene in
                scene.messages(on: "listen").contains {
                    $0.string("method") == "notifications/cancelled"
                        && $0.value("params")?.string("requestId") == question.string("id")
                }
            }
            try await bench.reply(question, session: session)
            #expect(try await bench.value { $0.worker?.broker.sources.count } == 1)
        }
    }

    @Test func `an answer that comes twice, or too late, counts for nothing`() async throws {
        try await SessionBench.with(
            upstreams: [],
            {
                Self.lends(&$0)
                $0.chat.timeout = 30
            }
        ) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            // It has waited in the front for 10 of its 30 s.
            try await bench.chat("a", timeout: 20_000)
            let question = try #require(try await bench.questions(on: "listen", count: 1).first)
            try await bench.pass(21)
            try await bench.ended("a")
            let fault = try #require(try await bench.value { $0.chat("a").fault })
            #expect(fault.word == "source_timeout" && fault.sourceWasAsked && fault.message.contains("30 s"))
            try await bench.reply(question, session: session)
            try await bench.chat("b")
            let next = try #require(try await bench.questions(on: "listen", count: 2).last)
            try await bench.reply(next, session: session)
            try await bench.reply(next, session: session)
            try await bench.ended("b")
            #expect(try await bench.value { [$0.chat("a").ends, $0.chat("b").ends] } == [1, 1])
        }
    }

    @Test func `what a user refused is not asked again for a minute`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            try await bench.chat("a", model: "gpt")
            let question = try #require(try await bench.questions(on: "listen", count: 1).first)
            try await bench.reply(question, #""error":{"code":-1,"message":"no"}"#, session: session)
            try await bench.ended("a")
            try await bench.chat("b", model: "gpt")
            try await bench.ended("b")
            for name in ["a", "b"] {
                #expect(try await bench.value { $0.chat(name).fault?.word } == "sampling_refused")
            }
            try await bench.chat("c", model: "gpt", principal: "token:other")
            #expect(try await bench.questions(on: "listen", count: 2).count == 2)
        }
    }

    @Test func `a source that is gone fails what it was asked, once, and what waits for it`() async throws {
        try await SessionBench.with(
            upstreams: [],
            {
                Self.lends(&$0)
                $0.chat.parallel = 1
            }
        ) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            try await bench.chat("a")
            _ = try await bench.questions(on: "listen", count: 1)
            try await bench.chat("b")
            try await bench.until { $0.worker?.broker.countWaiting == 1 }
            #expect(try await bench.delete(session: session).status == 204)
            for name in ["a", "b"] { try await bench.ended(name) }
            try await bench.run { scene in
                #expect(scene.chat("a").fault?.word == "source_lost" && scene.chat("a").fault?.sourceWasAsked == true)
                #expect(scene.chat("b").fault?.word == "no_source" && scene.chat("b").fault?.sourceWasAsked == false)
            }
        }
    }

    @Test func `a client whose streams are gone has 5 seconds to come back`() async throws {
        try await SessionBench.with(upstreams: [], Self.lends) { bench in
            let session = try await bench.openSampler()
            try await bench.listen("listen", session: session)
            try await bench.chat("a")
            _ = try await bench.questions(on: "listen", count: 1)
            try await bench.run { $0.client("listen").exchange?.cancel(reason: "gone") }
            try await bench.until { $0.worker?.sessions.countListening == 0 }
            try await bench.run { scene in
                guard let worker = scene.worker, let source = worker.broker.sources.values.first else {
                    Issue.record("there is no source")
                    return
                }
                let now = NIODeadline.now()
                worker.keepHouse(now: now)
                let since = source.awaySince ?? now
                worker.keepHouse(now: since + .seconds(5))
                #expect(worker.broker.busy(source) == 1)
                worker.keepHouse(now: since + .seconds(6))
                #expect(worker.broker.busy(source) == 0)
            }
            try await bench.ended("a")
            #expect(try await bench.value { $0.chat("a").fault?.word } == "source_lost")
        }
    }
}
