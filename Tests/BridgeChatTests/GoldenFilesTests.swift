import BridgeCore
import Foundation
import NIOCore
import Testing

@testable import BridgeChat

/// Bodies and streams as they leave, in Tests/chat-streams: what is said here is what the official packages of both
/// dialects are shown to read (Tests/Integration/test_chat_dialects.py).
///
/// `WRITE_CHAT_STREAMS=1` writes the files anew.
@Suite("Bodies and streams, whole") struct GoldenFilesTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "chat-streams")

    static func check(_ name: String, _ bytes: ByteBuffer) throws {
        let file = Self.folder.appending(path: name)
        let data = Data(bytes.readableBytesView)
        if ProcessInfo.processInfo.environment["WRITE_CHAT_STREAMS"] != nil { try data.write(to: file) }
        let written = try Data(contentsOf: file)
        #expect(written == data, "\(name) differs; WRITE_CHAT_STREAMS=1 writes it anew")
    }

    static let answers: [(name: String, answer: ChatAnswer)] = [
        ("text", ChatAnswer(model: "gpt-5", blocks: [.text(Self.prose)], stop: .endTurn)),
        ("empty", ChatAnswer(model: "gpt-5", blocks: [], stop: .endTurn)),
        ("length", ChatAnswer(model: "gpt-5", blocks: [.text("It was a dark and")], stop: .maximumTokens)),
        ("stop", ChatAnswer(model: "gpt-5", blocks: [.text("one two END three")], stop: .endTurn)),
        (
            "tools",
            ChatAnswer(
                model: "gpt-5",
                blocks: [
                    .text("I shall look."),
                    .toolUse(
                        ChatToolUse(
                            id: "call_1", name: "get_weather",
                            input: JSONText(literal: "{\"city\": \"Zürich\",\n \"days\": [1, 2]}"))),
                    .toolUse(ChatToolUse(id: "call_1", name: "get_time", input: .emptyObject)),
                ], stop: .endTurn)
        ),
        (
            "only-tools",
            ChatAnswer(
                model: "gpt-5", blocks: [.toolUse(ChatToolUse(id: "", name: "get_time", input: .emptyObject))],
                stop: .toolUse)
        ),
    ]

    static let prose = """
        Grüezi! Here is what a model writes when it is asked for little: a few sentences, "quotes", a \\ backslash,
        \ttabs, and Chinese without spaces: 这是一个没有空格的句子，用来测试如何把文本切成小块。👩‍👩‍👧‍👦 That is all.
        """

    static func request(_ dialect: ChatDialect) throws -> ChatRequest {
        let tools = [Samples.tool(dialect, "get_weather"), Samples.tool(dialect, "get_time")].joined(separator: ",")
        let stop = dialect == .messages ? "stop_sequences" : "stop"
        return try Samples.asking(
            dialect,
            #""tools":[\#(tools)],"\#(stop)":["END"],"temperature":0.5,"stream_options":{"include_usage":true}"#)
    }

    @Test(arguments: ChatDialect.allCases)
    func `answers`(dialect: ChatDialect) throws {
        let request = try Self.request(dialect)
        for (name, answer) in Self.answers {
            let fitted = answer.fitted(to: request, idPrefix: Samples.identity.callPrefix(in: dialect))
            let body = dialect.body(of: fitted, to: request, identity: Samples.identity)
            #expect(try JSONText(validating: body.bytes) == body)
            try Self.check("\(dialect.rawValue)-\(name).json", body.bytes)
            var stream = ChatStream(dialect, request: request, identity: Samples.identity)
            try Self.check("\(dialect.rawValue)-\(name).sse", stream.answer(fitted))
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `an answer that is waited for, and one that never comes`(dialect: ChatDialect) throws {
        let request = try Self.request(dialect)
        let answer = Self.answers[0].answer.fitted(to: request, idPrefix: "c")
        for (name, isAnswered) in [("waited", true), ("failed", false)] {
            var stream = ChatStream(dialect, request: request, identity: Samples.identity)
            var bytes = ByteBuffer()
            for _ in 0..<3 { bytes.writeImmutableBuffer(stream.keepAlive()) }
            bytes.writeImmutableBuffer(
                isAnswered
                    ? stream.answer(answer)
                    : stream.fail(ChatFault(.sourceLost, "The source is gone", sourceWasAsked: true)))
            try Self.check("\(dialect.rawValue)-\(name).sse", bytes)
        }
    }

    @Test func `every fault in every dialect`() throws {
        let all = JSONWriter.array { list in
            for dialect in ChatDialect.allCases {
                for kind in ChatFaultKind.all {
                    let fault = ChatFault(kind, "What went wrong", param: "messages[0]")
                    list.object { entry in
                        entry.member("dialect", dialect.rawValue)
                        entry.member("word", kind.word)
                        entry.member("status", fault.status(in: dialect))
                        entry.memberObject("headers") { headers in
                            for header in fault.headers(in: dialect) { headers.member(header.name, header.value) }
                        }
                        entry.member("body", fault.body(in: dialect, requestID: Samples.identity.requestID))
                    }
                }
            }
        }
        try Self.check("faults.json", all.bytes)
    }

    @Test func `models and counts`() throws {
        let models = ModelList([
            .init(id: "mcp-external-sampling", created: 1_780_000_000),
            .init(id: "org/m:latest", displayName: "M", created: 1_780_000_001),
        ])
        try Self.check("models.json", models.body.bytes)
        try Self.check("model.json", try models.entry("org/m:latest").body.bytes)
        try Self.check("count_tokens.json", TokenEstimate.body(of: try Self.request(.messages)).bytes)
        let fault = try fault { _ = try models.entry("gpt-9") }
        #expect(fault?.kind == .modelNotFound)
    }

    @Test func `params that sources of each revision are sent`() throws {
        let request = try Samples.request(
            .messages,
            #"[{"role":"user","content":[{"type":"text","text":"q"},\#(MediaRowsTests.image(.messages))]},{"role":"assistant","content":[{"type":"text","text":"I look"},{"type":"tool_use","id":"a","name":"f","input":{"x":1}},{"type":"tool_use","id":"b","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"4"},{"type":"text","text":"and now?"}]}]"#,
            #""system":"s","max_tokens":50,"temperature":0.5,"stop_sequences":["END"],"tools":[\#(Samples.tool(.messages))]"#
        )
        var plain = request
        plain.tools = []
        try Self.check(
            "sampling-2025-11-25-tools.json",
            try Samples.params(request, .init(takesTools: true, takesAudio: true)).text.bytes)
        try Self.check("sampling-2025-11-25.json", try Samples.params(plain, SamplingAbilities()).text.bytes)
        try Self.check(
            "sampling-2024-11-05.json", try Samples.params(plain, SamplingAbilities(takesLists: false)).text.bytes)
        try Self.check(
            "sampling-2026-07-28.json", try Samples.params(request, .init(takesTools: true, isModern: true)).text.bytes)
    }

    @Test func `results of samplings`() throws {
        let (text, tools) = (Self.answers[0].answer, Self.answers[4].answer)
        try Self.check("result-2025-11-25-tools.json", SamplingResult.text(tools).bytes)
        try Self.check("result-2025-11-25.json", SamplingResult.text(text).bytes)
        try Self.check("result-2024-11-05.json", SamplingResult.text(tools, lists: false).bytes)
    }
}
