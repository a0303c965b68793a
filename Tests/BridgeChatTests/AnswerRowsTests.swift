import BridgeCore
import NIOCore
import Testing

@testable import BridgeChat

/// The rows of the mapping table that are about answers, and what is done to answers before they leave.
@Suite("Mapping of answers") struct AnswerRowsTests {
    static func result(_ content: String, _ more: String = "") throws -> ChatAnswer {
        try SamplingResult.read(try json(#"{"role":"assistant","model":"src","content":\#(content)\#(more)}"#))
    }

    static let text = #"{"type":"text","text":"a"}"#
    static let call = #"{"type":"tool_use","id":"x","name":"f","input":{"k": 1}}"#

    /// stopReason, content → finish_reason, stop_reason, status, reason of incompleteness.
    static let rows:
        [(reason: String?, content: String, chat: String, messages: String, status: String, why: String?)] = [
            (nil, text, "stop", "end_turn", "completed", nil),
            ("endTurn", text, "stop", "end_turn", "completed", nil),
            ("toolUse", text, "stop", "end_turn", "completed", nil),
            (nil, "[\(text),\(call)]", "tool_calls", "tool_use", "completed", nil),
            ("endTurn", call, "tool_calls", "tool_use", "completed", nil),
            ("toolUse", "[\(call)]", "tool_calls", "tool_use", "completed", nil),
            ("maxTokens", "[\(call)]", "tool_calls", "tool_use", "completed", nil),
            ("stopSequence", text, "stop", "stop_sequence", "completed", nil),
            ("maxTokens", text, "length", "max_tokens", "incomplete", "max_output_tokens"),
            ("contentFilter", text, "content_filter", "refusal", "incomplete", "content_filter"),
            ("refusal", text, "content_filter", "refusal", "incomplete", "content_filter"),
            ("vendorSpecific", text, "stop", "end_turn", "completed", nil),
        ]

    @Test(arguments: rows.indices)
    func `a stop reason has its word in each dialect`(index: Int) throws {
        let row = Self.rows[index]
        let answer = try Self.result(row.content, row.reason.map { #","stopReason":"\#($0)""# } ?? "")
        let request = ChatRequest(model: "m")
        let chat = CompletionsAnswer.body(answer, to: request, identity: Samples.identity)
        #expect(chat.value("choices")?.elementTexts.first?.string("finish_reason") == row.chat)
        #expect(
            MessagesAnswer.body(answer, to: request, identity: Samples.identity).string("stop_reason") == row.messages)
        let response = ResponsesAnswer.body(answer, to: request, identity: Samples.identity)
        #expect(response.string("status") == row.status)
        #expect(response.value("incomplete_details")?.string("reason") == row.why)
        #expect(answer.stopWord == (row.reason == "vendorSpecific" ? "vendorSpecific" : nil))
    }

    @Test func `texts are joined without anything between them, content may be an object or a list`() throws {
        #expect(try Self.result(Self.text).blocks == [.text("a")])
        #expect(try Self.result("[\(Self.text),\(Self.text)]").blocks == [.text("aa")])
        #expect(try Self.result(#""a""#).blocks == [.text("a")])
        #expect(try Self.result(#"{"type":"text","text":""}"#).isEmpty)
        #expect(try Self.result("[]").isEmpty)
    }

    @Test(arguments: [
        #"{"role":"user","model":"m","content":{"type":"text","text":"a"}}"#,
        #"{"role":"assistant","model":"m","content":{"type":"image","data":"AAAA","mimeType":"image/png"}}"#,
        #"{"role":"assistant","model":"m","content":[{"type":"audio","data":"AAAA","mimeType":"audio/wav"}]}"#,
        #"{"role":"assistant","model":"m"}"#, #"{"role":"assistant","content":7}"#, #"[]"#, #"{}"#,
        #"{"role":"assistant","content":{"type":"tool_use","id":"a"}}"#,
        #"{"role":"assistant","content":{"type":"text","text":"a"},"content":{"type":"text","text":"b"}}"#,
    ])
    func `what is no answer, or one that no dialect can carry, is a bad answer`(result: String) throws {
        let fault = try fault { _ = try SamplingResult.read(try json(result)) }
        #expect(fault?.kind == .badAnswer)
        #expect(fault?.status(in: .completions) == 502)
        #expect(fault?.shouldRetry == false)
    }

    @Test func `arguments are compact, input stays as it came`() throws {
        let answer = try Self.result(Self.call)
        let request = ChatRequest(model: "m")
        let chat = CompletionsAnswer.body(answer, to: request, identity: Samples.identity).description
        #expect(chat.contains(#""arguments":"{\"k\":1}""#))
        #expect(chat.contains(#""content":null"#))
        #expect(
            MessagesAnswer.body(answer, to: request, identity: Samples.identity).description.contains(
                #""input":{"k": 1}"#))
    }

    @Test func `ids of calls stay unless they are too long, odd or given twice`() {
        let ids = ["a", "a", "", String(repeating: "x", count: 65), "functions.get:0", "ä"]
        let blocks = ids.map { ChatAnswer.Block.toolUse(.init(id: $0, name: "f", input: .emptyObject)) }
        let fitted = ChatAnswer(model: "m", blocks: blocks, stop: .toolUse)
            .fitted(to: ChatRequest(model: "m"), idPrefix: "call_t").toolUses.map(\.id)
        #expect(fitted == ["a", "call_t_1", "call_t_2", "call_t_3", "functions.get:0", "call_t_5"])
    }

    @Test func `text is cut at the first stop sequence, and what follows is gone`() {
        var request = ChatRequest(model: "m")
        request.stopSequences = ["\n\n", "END"]
        let call = ChatAnswer.Block.toolUse(.init(id: "c", name: "f", input: .emptyObject))
        let answer = ChatAnswer(model: "m", blocks: [.text("oneEND\n\ntwo"), call], stop: .toolUse)
            .fitted(to: request, idPrefix: "c")
        #expect(answer.blocks == [.text("one")])
        #expect(answer.stop == .stopSequence("END"))
        let body = MessagesAnswer.body(answer, to: request, identity: Samples.identity)
        #expect(body.string("stop_sequence") == "END")
        request.stopSequences = ["END"]
        let said = ChatAnswer(model: "m", blocks: [.text("one")], stop: .stopSequence(nil)).fitted(
            to: request, idPrefix: "c")
        #expect(said.stop == .stopSequence("END"))
    }

    @Test func `an answer by a schema loses its fence, and one that does not fit is none`() throws {
        let schema = AnswerFormat.Schema(
            schema: try json(
                ##"{"type":"object","properties":{"a":{"$ref":"#/$defs/n"},"b":{"anyOf":[{"type":"null"},{"enum":["x"]}]}},"required":["a"],"additionalProperties":false,"$defs":{"n":{"type":"array","items":{"type":"integer"}}}}"##
            ),
            isStrict: true)
        func verdict(_ text: String, _ format: AnswerFormat) -> String {
            switch format.check(ChatAnswer(model: "m", blocks: [.text(text)], stop: .endTurn)) {
            case .met(let answer): answer.text
            case .notMet(let problem): "NOT \(problem)"
            }
        }
        #expect(verdict("```json\n{\"a\":[1]}\n```", .schema(schema)) == #"{"a":[1]}"#)
        #expect(verdict(#"{"a":[1,2.0],"b":"x"}"#, .schema(schema)) == #"{"a":[1,2.0],"b":"x"}"#)
        #expect(verdict("hello", .schema(schema)) == "NOT the answer is not JSON")
        #expect(verdict("{}", .schema(schema)) == "NOT $.a is missing")
        #expect(verdict(#"{"a":[1.5]}"#, .schema(schema)) == "NOT $.a[0] is not of the type integer")
        #expect(verdict(#"{"a":[],"c":1}"#, .schema(schema)) == "NOT $.c is not allowed")
        #expect(verdict(#"{"a":[],"b":"y"}"#, .schema(schema)).hasPrefix("NOT $.b fits none of the alternatives"))
        #expect(verdict("[]", .json) == "NOT the answer is not an object")
        #expect(verdict("```\n{}\n```", .json) == "{}")
        #expect(verdict("hello", .text) == "hello")
        var loose = schema
        loose.isStrict = false
        #expect(verdict("{}", .schema(loose)) == "{}")
        let endless = AnswerFormat.Schema(schema: try json(##"{"$ref":"#"}"##), isStrict: true)
        #expect(verdict("{}", .schema(endless)) == "{}")
    }

    @Test func `an answer that does not fit is asked for once more, with the reason`() throws {
        let request = try Samples.asking(.completions, #""response_format":{"type":"json_object"}"#)
        let answer = ChatAnswer(model: "m", blocks: [.text("hello")], stop: .endTurn)
        let repaired = request.repaired(after: answer, because: "the answer is not JSON")
        #expect(repaired.turns.count == 3)
        #expect(repaired.turns[1] == .assistant("hello"))
        guard case .content(.text(let text)) = repaired.turns[2].blocks.first else { throw ChatFault(.internal, "") }
        #expect(text.contains("the answer is not JSON"))
    }

    @Test func `usage is estimated from what the client sent, and is never 0`() throws {
        #expect(TokenEstimate.input(of: ChatRequest(model: "m")) == 1)
        let request = try Samples.request(
            .completions, #"[{"role":"system","content":"1234"},{"role":"user","content":"12345"}]"#)
        #expect(TokenEstimate.input(of: request) == 3)
        var json = request
        json.format = .json
        #expect(TokenEstimate.input(of: json) == 3)
        let image = try Samples.request(
            .messages, #"[{"role":"user","content":[\#(MediaRowsTests.image(.messages))]}]"#)
        #expect(TokenEstimate.input(of: image) == TokenEstimate.image)
        let answer = ChatAnswer(model: "m", blocks: [], stop: .endTurn).fitted(to: request, idPrefix: "c")
        #expect(answer.usage == ChatUsage(input: 3, output: 1, isEstimate: true))
        #expect(TokenEstimate.body(of: request).description == #"{"input_tokens":3}"#)
        let counted = ChatAnswer(
            model: "m", blocks: [], stop: .endTurn, usage: ChatUsage(input: 9, output: 8, isEstimate: false))
        #expect(counted.fitted(to: request, idPrefix: "c").usage == counted.usage)
    }

    @Test func `what is left of a request that waits for its answer keeps nothing of its body`() throws {
        let long = String(repeating: "x", count: 1 << 20)
        for dialect in ChatDialect.allCases {
            var request = try Samples.request(
                dialect, #"[{"role":"user","content":"\#(long)"}]"#,
                #""tools":[\#(Samples.tool(dialect))],"seed":1,"top_p":0.5"#)
            let counted = TokenEstimate.input(of: request)
            request.forgetTurns()
            #expect(TokenEstimate.input(of: request) == counted && request.tools.count == 1)
            #expect(request.tools.allSatisfy { $0.inputSchema.bytes.storageCapacity < 1_024 })
            #expect(request.extras.isEmpty && request.turns.isEmpty && request.remarks.ignored == ["seed", "top_p"])
        }
    }

    @Test func `errors of a source are told, its user's refusal as one`() {
        #expect(SamplingError.fault(code: -1, message: "User rejected").kind == .samplingRefused)
        #expect(SamplingError.fault(code: -32000, message: "User denied").kind == .samplingRefused)
        #expect(
            SamplingError.fault(code: -32603, message: String(repeating: "é", count: 9_999)).message.utf8.count < 2_060)
        #expect(SamplingError.fault(code: -32602, message: "x").kind == .badAnswer)
        #expect(SamplingError.fault(code: -32603, message: "x").kind == .badAnswer)
    }
}
