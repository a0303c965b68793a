import BridgeCore
import NIOCore
import Testing

@testable import BridgeChat

/// Requests as programs send them, shortened: none may be refused for what it always holds.
@Suite("Requests of programs") struct ClientRequestsTests {
    static let claudeCode = #"""
        {"model":"claude-sonnet-4-5","max_tokens":128000,"stream":true,
         "system":[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"text","text":"c","cache_control":{"type":"ephemeral"}}],
         "messages":[{"role":"user","content":[{"type":"text","text":"say hi","cache_control":{"type":"ephemeral"}}]},
                     {"role":"system","content":"Today is Friday."}],
         "tools":[{"name":"Bash","description":"d","input_schema":{"type":"object"},"defer_loading":true},
                  {"type":"tool_search_tool_regex_20251119","name":"tool_search"}],
         "thinking":{"type":"adaptive"},"context_management":{"edits":[]},"output_config":{"effort":"high"},
         "metadata":{"user_id":"{\"device_id\":\"x\"}"}}
        """#

    @Test func `Claude Code`() throws {
        let request = try ChatDialect.messages.request(from: try json(Self.claudeCode))
        #expect(request.system == ["a", "b", "c"])
        #expect(request.turns.map(\.role) == [.user, .system])
        #expect(request.tools.map(\.name) == ["Bash"])
        #expect(request.user == #"{"device_id":"x"}"#)
        #expect(
            request.remarks.ignored == [
                "tools.tool_search_tool_regex_20251119", "output_config.effort", "thinking", "context_management",
            ])
        #expect(SamplingSettings().maximumTokens(for: request) == 128_000)
        // Its tools make it more than a source without them can take.
        #expect(try fault { _ = try Samples.params(request, SamplingAbilities()) }?.kind == .toolsNotSupported)
    }

    static let codex = #"""
        {"model":"gpt-5-codex","stream":true,"store":false,"include":["reasoning.encrypted_content"],
         "input":[{"type":"message","role":"developer","content":[{"type":"input_text","text":"a"}]},
                  {"type":"message","role":"user","content":[{"type":"input_text","text":"say hi"}]},
                  {"type":"reasoning","summary":[],"encrypted_content":"x"},
                  {"type":"function_call","call_id":"c1","name":"shell","arguments":"{\"command\":[\"ls\"]}"},
                  {"type":"function_call_output","call_id":"c1","output":"README"}],
         "tools":[{"type":"function","name":"shell","description":"d","strict":false,"parameters":{"type":"object"}},
                  {"type":"web_search","external_web_access":false},{"type":"namespace","name":"ns","tools":[]}],
         "tool_choice":"auto","parallel_tool_calls":true,"reasoning":{"effort":"medium","summary":"auto"},
         "prompt_cache_key":"k","client_metadata":{"x":"y"}}
        """#

    @Test func `Codex`() throws {
        let request = try ChatDialect.responses.request(from: try json(Self.codex))
        #expect(request.system == ["a"])
        #expect(request.turns.map(\.role) == [.user, .assistant, .user])
        #expect(
            request.remarks.ignored == [
                "input.reasoning", "tools.web_search", "tools.namespace", "include", "reasoning", "prompt_cache_key",
                "client_metadata",
            ])
        #expect(try Samples.params(request).text.value("tools")?.elementTexts.count == 1)
    }

    @Test(arguments: [
        // Roo: marks of caches inside parts of OpenAI's dialect.
        #"{"model":"m","temperature":0,"stream":true,"stream_options":{"include_usage":true},"parallel_tool_calls":false,"messages":[{"role":"system","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":"q"}]}"#,
        // Cline, when a model's name looks like one that thinks.
        #"{"model":"gpt-5","stream":true,"reasoning_effort":"low","stream_options":{"include_usage":true},"messages":[{"role":"developer","content":"a"},{"role":"user","content":[{"type":"text","text":"q"}]}]}"#,
        // VS Code as a client.
        #"{"model":"m","temperature":0.1,"top_p":1,"n":1,"stream":true,"messages":[{"role":"user","content":"q"}]}"#,
        // aider: few-shot history, temperature 0.
        #"{"model":"m","temperature":0,"stream":true,"messages":[{"role":"system","content":"s"},{"role":"user","content":"x"},{"role":"assistant","content":"Ok."},{"role":"user","content":"q"}]}"#,
        // Open WebUI and LangChain: what they replay of an answer with calls.
        #"{"model":"m","stream":false,"messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c","type":"function","index":0,"function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","name":"f","content":"r"}]}"#,
    ])
    func `others, on chat completions`(body: String) throws {
        let request = try ChatDialect.completions.request(from: try json(body))
        #expect(request.turns.last?.role == .user)
        _ = try Samples.params(request)
    }

    @Test func `what is too much is refused by name, and at once`() throws {
        let message = #"{"role":"user","content":"a"}"#
        let many = [String](repeating: message, count: ChatRequest.maximumTurns + 1).joined(separator: ",")
        for dialect in ChatDialect.allCases {
            let fault = try fault { _ = try Samples.request(dialect, "[\(many)]") }
            #expect(fault?.param == (dialect == .responses ? "input" : "messages"))
            #expect(fault?.message.contains("100000") == true)
            let members = (0..<1_000).map { #""m\#($0)":1"# }.joined(separator: ",")
            #expect(throws: ChatFault.self) { try Samples.asking(dialect, members) }
        }
        let tools = [String](repeating: #"{"name":"f"}"#, count: ChatRequest.maximumTools + 1).joined(separator: ",")
        #expect(try fault { _ = try Samples.asking(.messages, #""tools":[\#(tools)]"#) }?.param == "tools")
        let long = String(repeating: "x", count: 1 << 20)
        let kind = try fault {
            _ = try Samples.request(.completions, #"[{"role":"user","content":[{"type":"\#(long)"}]}]"#)
        }
        #expect(kind.map { $0.message.utf8.count < 300 } == true)
    }

    @Test func `a member that is given twice is refused where it counts`() throws {
        let body = try json(#"{"model":"a","model":"b","messages":[{"role":"user","content":"q"}]}"#)
        #expect(try fault { _ = try ChatDialect.completions.request(from: body) }?.param == "model")
        let other = try json(#"{"model":"a","x":1,"x":2,"messages":[{"role":"user","content":"q"}]}"#)
        #expect(try ChatDialect.completions.request(from: other).remarks.ignored == ["x"])
    }

    @Test func `half of a surrogate pair does not leave`() throws {
        let tool = #"{"name":"f","description":"\ud83d","input_schema":{"type":"object","title":"\ud83d"}}"#
        let request = try Samples.asking(.messages, #""tools":[\#(tool)]"#)
        #expect(try Samples.params(request).text.description.contains("ud83d") == false)
    }
}
