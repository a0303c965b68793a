import BridgeCore
import Testing

@testable import BridgeChat

/// The rows of the mapping table in each dialect that has them, by one law for each mark.
///
/// What is honoured changes what is asked, and is not mentioned. What is approximated changes it, and is named. What is ignored
/// changes nothing, and is named. What is refused is so by its name, and nobody is asked. What a row is turned into stands in
/// the suites of rows.
@Suite("The mapping table") struct MappingTableTests {
    enum Mark {
        case honoured
        case approximated([String])
        case ignored(String)
        /// By the name of a member, or its beginning.
        case refused(String)
        /// Asks for what happens anyway.
        case idle
    }

    struct Row {
        let name: String
        let mark: Mark
        /// Without what the row is about, and with it.
        var messages = (without: Row.hello, with: Row.hello)
        var more = (without: "", with: "")

        static let hello = #"[{"role":"user","content":"hi"}]"#

        /// A member of the body, or several.
        static func member(_ text: String, _ mark: Mark, beside base: String = "") -> Row {
            Row(
                name: text, mark: mark,
                more: (base, base.isEmpty ? text : "\(base),\(text)"))
        }

        /// Content of the last message.
        static func part(_ text: String, _ mark: Mark) -> Row {
            let part = #"{"role":"user","content":[\#(text)]}"#
            return Row(name: text, mark: mark, messages: (hello, "[\(part)]"))
        }

        static func turns(_ without: String, _ with: String, _ mark: Mark) -> Row {
            Row(name: with, mark: mark, messages: (without, with))
        }
    }

    static func check(_ row: Row, _ dialect: ChatDialect) throws {
        if case .refused(let param) = row.mark {
            let fault = try fault { _ = try Samples.request(dialect, row.messages.with, row.more.with) }
            #expect(fault?.status(in: dialect) == 400, "\(row.name)")
            #expect(fault?.param?.hasPrefix(param) == true, "\(row.name): \(fault?.param ?? "-")")
            #expect(fault?.sourceWasAsked == false)
            return
        }
        let without = try Samples.request(dialect, row.messages.without, row.more.without)
        let with = try Samples.request(dialect, row.messages.with, row.more.with)
        let params = try Samples.params(with)
        let isSame = try Self.asked(without) == Self.asked(with) && Samples.params(without).text == params.text
        var remarks = with.remarks
        remarks.add(params.remarks)
        var (approximated, ignored): ([String], [String]) = ([], [])
        switch row.mark {
        case .honoured: #expect(!isSame, "\(row.name)")
        case .approximated(let names):
            #expect(!isSame, "\(row.name)")
            approximated = names
        case .ignored(let name):
            #expect(isSame, "\(row.name)")
            ignored = [name]
        case .idle: #expect(isSame, "\(row.name)")
        case .refused: break
        }
        #expect(remarks.approximated == approximated, "\(row.name)")
        #expect(remarks.ignored == ignored, "\(row.name)")
    }

    /// What is asked, and how the answer is told: not what is said about either.
    private static func asked(_ request: ChatRequest) -> ChatRequest {
        var request = request
        request.remarks = ChatRemarks()
        request.extras = []
        return request
    }

    @Test(arguments: ChatDialect.allCases) func `parameters of all dialects`(dialect: ChatDialect) throws {
        var rows: [Row] = [
            .member(#""temperature":0"#, .honoured), .member(#""stream":true"#, .honoured),
            .member(#""temperature":null"#, .idle), .member(#""max_tokens":50"#, .honoured),
            .member(#""max_tokens":0"#, .refused("max_tokens")), .member(#""max_tokens":-1"#, .refused("max_tokens")),
            .member(#""store":true"#, .ignored("store")), .member(#""truncation":"auto""#, .ignored("truncation")),
        ]
        for name in [
            "top_p", "top_k", "frequency_penalty", "presence_penalty", "logit_bias", "seed", "safety_identifier",
            "prompt_cache_key", "prompt_cache_retention", "service_tier", "include", "reasoning", "reasoning_effort",
            "thinking", "verbosity", "context_management", "inference_geo", "container", "speed", "betas",
            "client_metadata", "what_is_next",
        ] {
            rows.append(.member(#""\#(name)":0.5"#, .ignored(name)))
        }
        for row in rows { try Self.check(row, dialect) }
    }

    private static let schema = #"{"type":"json_schema","schema":{"type":"object"}}"#

    @Test func `parameters of chat completions`() throws {
        let nested = #"{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}"#
        let rows: [Row] = [
            .member(#""max_completion_tokens":5"#, .honoured), .member(#""max_output_tokens":5"#, .honoured),
            .member(#""stop":"x""#, .honoured), .member(#""stop":["x","y"]"#, .honoured),
            .member(#""user":"u""#, .honoured), .member(#""metadata":{"a":"b"}"#, .ignored("metadata")),
            .member(#""stream_options":{"include_usage":true}"#, .honoured),
            .member(#""response_format":{"type":"json_object"}"#, .approximated(["response_format"])),
            .member(#""response_format":\#(nested)"#, .approximated(["response_format"])),
            .member(#""response_format":{"type":"text"}"#, .idle), .member(#""n":1"#, .idle),
            .member(#""n":2"#, .refused("n")), .member(#""logprobs":true"#, .refused("logprobs")),
            .member(#""logprobs":false"#, .idle), .member(#""top_logprobs":1"#, .refused("top_logprobs")),
            .member(#""modalities":["text"]"#, .idle), .member(#""modalities":["audio"]"#, .refused("modalities")),
            .member(#""prediction":{"type":"content"}"#, .refused("prediction")),
            .member(#""echo":true"#, .refused("echo")), .member(#""store":false"#, .idle),
        ]
        for row in rows { try Self.check(row, .completions) }
    }

    @Test func `parameters of Responses`() throws {
        let rows: [Row] = [
            .member(#""instructions":"Be brief.""#, .honoured), .member(#""max_output_tokens":5"#, .honoured),
            .member(#""user":"u""#, .honoured), .member(#""metadata":{"a":"b"}"#, .ignored("metadata")),
            .member(#""text":{"format":{"type":"json_object"}}"#, .approximated(["text.format"])),
            .member(#""text":{"format":\#(Self.schema)}"#, .approximated(["text.format"])),
            .member(#""text":{"verbosity":"low"}"#, .ignored("text.verbosity")),
            .member(#""top_logprobs":1"#, .refused("top_logprobs")), .member(#""store":false"#, .idle),
            .member(#""background":true"#, .refused("background")),
            .member(#""conversation":"c""#, .refused("conversation")),
            .member(#""prompt":{"id":"p"}"#, .refused("prompt")),
            .member(#""previous_response_id":"r""#, .refused("previous_response_id")),
            .member(#""truncation":"disabled""#, .idle),
        ]
        for row in rows { try Self.check(row, .responses) }
    }

    @Test func `parameters of messages`() throws {
        let rows: [Row] = [
            .member(#""system":"Be brief.""#, .honoured), .member(#""stop_sequences":["x"]"#, .honoured),
            .member(#""metadata":{"user_id":"u"}"#, .honoured),
            .member(#""metadata":{"a":"b"}"#, .ignored("metadata.a")),
            .member(#""output_config":{"format":\#(Self.schema)}"#, .approximated(["output_config.format"])),
            .member(#""output_config":{"effort":"low"}"#, .ignored("output_config.effort")),
            .member(#""thinking":{"type":"disabled"}"#, .idle), .member(#""betas":[]"#, .idle),
            .member(#""cache_control":{"type":"ephemeral"}"#, .idle), .member(#""thread":null"#, .idle),
            .member(#""thread":{"type":"create"}"#, .refused("thread")),
            .member(#""thread":{"type":"continue","previous_message_id":"m"}"#, .refused("thread")),
        ]
        for row in rows { try Self.check(row, .messages) }
    }
}
