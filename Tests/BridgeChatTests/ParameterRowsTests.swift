import BridgeCore
import Testing

@testable import BridgeChat

/// The rows of the mapping table that are about parameters, each by its name there.
@Suite("Mapping of parameters") struct ParameterRowsTests {
    @Test func `the model becomes a hint, and a second one without provider and date`() throws {
        let expected: [(String, [String])] = [
            ("gpt-5", ["gpt-5"]), ("", []), ("auto", []), ("mcp-external-sampling", []),
            ("anthropic/claude-sonnet-4-5-20250929", ["anthropic/claude-sonnet-4-5-20250929", "claude-sonnet-4-5"]),
            ("gpt-4o-2024-08-06", ["gpt-4o-2024-08-06", "gpt-4o"]), ("org/m:latest", ["org/m:latest", "m"]),
            ("claude-3-5-sonnet@20240620", ["claude-3-5-sonnet@20240620", "claude-3-5-sonnet"]),
            ("20250929", ["20250929"]), ("/", ["/"]), ("a/", ["a/"]),
        ]
        for (model, hints) in expected { #expect(ModelPreferences(model: model).hints == hints, "\(model)") }
        let params = try Samples.params(try Samples.asking(.completions, #""n":1"#))
        #expect(
            params.text.value("modelPreferences")?.description
                == #"{"hints":[{"name":"m"}],"costPriority":0.5,"speedPriority":0.5,"intelligencePriority":0.5}"#)
    }

    @Test(arguments: ChatDialect.allCases)
    func `a model's name has a length`(dialect: ChatDialect) throws {
        let messages = #"[{"role":"user","content":"hi"}]"#
        let longest = String(repeating: "m", count: 256)
        let body = try Samples.body(dialect, messages).description
        let named = { (name: String) in try json(body.replacing(#""model":"m""#, with: #""model":"\#(name)""#)) }
        #expect(try dialect.request(from: try named(longest)).model == longest)
        let fault = try fault { _ = try dialect.request(from: try named(longest + "m")) }
        #expect(fault?.kind == .invalidRequest && fault?.param == "model")
        #expect((fault?.message.utf8.count ?? 0) < 200)
        let answer = ChatAnswer(model: longest + longest, blocks: [], stop: .endTurn)
        #expect(answer.model == longest + "…")
    }

    @Test(arguments: [
        (ChatDialect.completions, "max_tokens"), (.completions, "max_completion_tokens"),
        (.completions, "max_output_tokens"), (.responses, "max_output_tokens"), (.messages, "max_tokens"),
    ])
    func `a limit on tokens is honoured up to the cap, and must be positive`(dialect: ChatDialect, name: String) throws
    {
        var settings = SamplingSettings()
        let small = try Samples.asking(dialect, #""\#(name)":50"#)
        #expect(settings.maximumTokens(for: small) == 50)
        #expect(settings.maximumTokens(for: try Samples.asking(dialect, #""\#(name)":128000"#)) == 128_000)
        #expect(settings.maximumTokens(for: try Samples.asking(dialect, #""\#(name)":9000000000"#)) == 327_680)
        #expect(settings.maximumTokens(for: try Samples.asking(dialect, #""\#(name)":null"#)) == 327_680)
        settings.maximumTokens = 10
        #expect(settings.maximumTokens(for: small) == 10)
        for bad in ["0", "-1", "1.5", #""1""#] {
            let fault = try fault { _ = try Samples.asking(dialect, #""\#(name)":\#(bad)"#) }
            #expect(fault?.kind == .invalidRequest, "\(bad)")
            #expect(fault?.param == name)
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `temperature is passed on as given, 0 too`(dialect: ChatDialect) throws {
        for (given, written) in [("0", "0"), ("0.7", "0.7"), ("1.0", "1"), ("2", "2")] {
            let request = try Samples.asking(dialect, #""temperature":\#(given)"#)
            #expect(try Samples.params(request).text.value("temperature")?.description == written)
        }
        #expect(try Samples.params(try Samples.asking(dialect, #""x":null"#)).text.member("temperature") == nil)
        for bad in ["3", "-0.1", #""hot""#, "1e400"] {
            #expect(throws: ChatFault.self) { try Samples.asking(dialect, #""temperature":\#(bad)"#) }
        }
    }

    @Test func `what a source is known to take no notice of is named as ignored`() throws {
        let numbers = try SamplingParams(neutral: try Samples.asking(.completions, #""temperature":0"#)).text
        let plain = try SamplingParams(neutral: try Samples.asking(.completions, #""n":1"#)).text
        let source = SamplingAbilities(overlooksNumbers: true)
        #expect(source.overlooked(in: numbers, limitsLength: true).ignored == ["temperature", "max_tokens"])
        #expect(source.overlooked(in: plain, limitsLength: false) == ChatRemarks())
        #expect(SamplingAbilities().overlooked(in: numbers, limitsLength: true) == ChatRemarks())
    }

    @Test(arguments: [
        "top_p", "top_k", "frequency_penalty", "presence_penalty", "logit_bias", "seed", "metadata",
        "safety_identifier",
        "prompt_cache_key", "prompt_cache_retention", "service_tier", "include", "reasoning", "reasoning_effort",
        "thinking", "verbosity", "context_management", "inference_geo", "container", "speed", "betas", "what_is_next",
    ])
    func `what sampling has no place for is ignored and listed, unknown members too`(name: String) throws {
        for dialect in ChatDialect.allCases {
            let value = name == "metadata" ? #"{"a":"b"}"# : "0.5"
            let request = try Samples.asking(dialect, #""\#(name)":\#(value)"#)
            let listed = dialect == .messages && name == "metadata" ? "metadata.a" : name
            #expect(request.remarks.ignored == [listed], "\(dialect)")
        }
    }

    @Test func `members that ask for nothing are not listed`() throws {
        let chat = try Samples.asking(
            .completions,
            #""store":false,"top_p":1,"frequency_penalty":0,"logit_bias":{},"n":1,"logprobs":false,"top_logprobs":0,"modalities":["text"],"stream_options":{"include_usage":false},"seed":null,"echo":false,"user":"u""#
        )
        #expect(chat.remarks == ChatRemarks())
        #expect(chat.user == "u")
        let responses = try Samples.asking(
            .responses,
            #""store":false,"truncation":"disabled","background":false,"previous_response_id":null,"include":[]"#)
        #expect(responses.remarks == ChatRemarks())
        let messages = try Samples.asking(.messages, #""metadata":{"user_id":"u"}"#)
        #expect(messages.remarks == ChatRemarks())
        #expect(messages.user == "u")
        #expect(
            try Samples.asking(.responses, #""store":true,"truncation":"auto""#).remarks.ignored == [
                "store", "truncation",
            ])
        #expect(try Samples.asking(.responses, #""text":{"verbosity":"low"}"#).remarks.ignored == ["text.verbosity"])
        #expect(
            try Samples.asking(.messages, #""output_config":{"effort":"low"}"#).remarks.ignored == [
                "output_config.effort"
            ])
    }

    @Test(arguments: [(ChatDialect.completions, "stop"), (.responses, "stop"), (.messages, "stop_sequences")])
    func `stop sequences are passed on, a string as one of them`(dialect: ChatDialect, name: String) throws {
        let one = try Samples.asking(dialect, #""\#(name)":"END""#)
        #expect(try Samples.params(one).text.value("stopSequences")?.description == #"["END"]"#)
        let many = try Samples.asking(dialect, #""\#(name)":["a","b",""]"#)
        #expect(many.stopSequences == ["a", "b"])
        #expect(many.remarks.ignored == [name])
        #expect(throws: ChatFault.self) { try Samples.asking(dialect, #""\#(name)":[1]"#) }
        #expect(throws: ChatFault.self) { try Samples.asking(dialect, #""\#(name)":7"#) }
        let list = [String](repeating: #""x""#, count: 65).joined(separator: ",")
        #expect(throws: ChatFault.self) { try Samples.asking(dialect, #""\#(name)":[\#(list)]"#) }
    }

    @Test func `answers by a schema are asked for in the system prompt`() throws {
        let schema = #"{"type":"object","properties":{"a":{"type":"string"}}}"#
        let chat = try Samples.asking(
            .completions,
            #""response_format":{"type":"json_schema","json_schema":{"name":"N","strict":true,"schema":\#(schema)}}"#)
        #expect(chat.remarks.approximated == ["response_format"])
        let responses = try Samples.asking(
            .responses, #""text":{"format":{"type":"json_schema","name":"N","strict":true,"schema":\#(schema)}}"#)
        #expect(responses.format == chat.format)
        let messages = try Samples.asking(
            .messages, #""output_config":{"format":{"type":"json_schema","schema":\#(schema)}}"#)
        for request in [chat, responses, messages] {
            #expect(try Samples.params(request).text.string("systemPrompt")?.hasSuffix(schema) == true)
        }
        #expect(try Samples.asking(.completions, #""response_format":{"type":"json_object"}"#).format == .json)
        #expect(try Samples.asking(.completions, #""response_format":{"type":"text"}"#).remarks == ChatRemarks())
        #expect(throws: ChatFault.self) { try Samples.asking(.completions, #""response_format":{"type":"xml"}"#) }
    }

    @Test(arguments: [
        (ChatDialect.completions, #""n":2"#, "n"), (.completions, #""logprobs":true"#, "logprobs"),
        (.completions, #""top_logprobs":3"#, "top_logprobs"), (.responses, #""top_logprobs":3"#, "top_logprobs"),
        (.completions, #""modalities":["text","audio"]"#, "modalities"),
        (.completions, #""prediction":{"type":"content","content":"x"}"#, "prediction"),
        (.completions, #""echo":true"#, "echo"), (.responses, #""background":true"#, "background"),
        (.responses, #""conversation":"c""#, "conversation"), (.responses, #""prompt":{"id":"p"}"#, "prompt"),
        (.responses, #""previous_response_id":"r""#, "previous_response_id"),
    ])
    func `what nobody here can do is refused by name`(dialect: ChatDialect, member: String, param: String) throws {
        let fault = try fault { _ = try Samples.asking(dialect, member) }
        #expect(fault?.kind == .unsupported)
        #expect(fault?.param == param)
        if param == "previous_response_id" { #expect(fault?.message.contains("store: false") == true) }
    }

    @Test func `usage in a stream is honoured, streaming too`() throws {
        let request = try Samples.asking(.completions, #""stream":true,"stream_options":{"include_usage":true}"#)
        #expect(request.isStreamed && request.wantsUsage)
    }

    @Test func `context is never asked for, and not mentioned where the revision has no word for it`() throws {
        let request = try Samples.asking(.completions, #""n":1"#)
        #expect(try Samples.params(request).text.string("includeContext") == "none")
        #expect(try Samples.params(request, SamplingAbilities(isModern: true)).text.member("includeContext") == nil)
    }
}
