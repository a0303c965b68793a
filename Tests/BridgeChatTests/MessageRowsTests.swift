import BridgeCore
import Testing

@testable import BridgeChat

/// The rows of the mapping table that are about messages, each by its name there.
@Suite("Mapping of messages") struct MessageRowsTests {
    @Test func `leading system and developer texts become the system prompt, a blank line between them, in order`()
        throws
    {
        let chat = try Samples.request(
            .completions,
            #"[{"role":"system","content":"a"},{"role":"developer","content":[{"type":"text","text":"b"}]},{"role":"user","content":"q"}]"#
        )
        #expect(chat.system == ["a", "b"])
        #expect(try Samples.params(chat).text.string("systemPrompt") == "a\n\nb")
        let responses = try Samples.request(
            .responses, #"[{"role":"developer","content":"b"},{"role":"user","content":"q"}]"#, #""instructions":"a""#)
        #expect(responses.systemPrompt == "a\n\nb")
        let messages = try Samples.asking(
            .messages,
            #""system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral"}},{"type":"text","text":"b"}]"#)
        #expect(messages.systemPrompt == "a\n\nb")
        #expect(messages.remarks.ignored.isEmpty)
        #expect(try Samples.asking(.messages, #""system":"a""#).systemPrompt == "a")
    }

    @Test(arguments: ChatDialect.allCases)
    func `a later system text is a user message at its place, marked as system text`(dialect: ChatDialect) throws {
        let request = try Samples.request(
            dialect, #"[{"role":"user","content":"a"},{"role":"system","content":"s"},{"role":"user","content":"b"}]"#)
        #expect(request.system.isEmpty)
        let params = try Samples.params(request)
        #expect(
            params.text.value("messages")?.description
                == #"[{"role":"user","content":{"type":"text","text":"a"}},"#
                + #"{"role":"user","content":{"type":"text","text":"<system>\ns\n</system>"}},"#
                + #"{"role":"user","content":{"type":"text","text":"b"}}]"#)
        #expect(params.remarks.approximated == ["messages.system"])
    }

    @Test(arguments: ChatDialect.allCases)
    func `neighbouring messages of one role stay separate`(dialect: ChatDialect) throws {
        let request = try Samples.request(
            dialect,
            #"[{"role":"user","content":"a"},{"role":"user","content":"b"},{"role":"assistant","content":"c"}]"#)
        #expect(request.turns == [.user("a"), .user("b"), .assistant("c")])
        #expect(
            try Samples.messages(request)
                == #"[{"role":"user","content":{"type":"text","text":"a"}},{"role":"user","content":{"type":"text","text":"b"}},"#
                + #"{"role":"assistant","content":{"type":"text","text":"c"}}]"#)
    }

    @Test(arguments: ["null", #""""#, "[]"])
    func `an assistant without content holds its calls only`(content: String) throws {
        let call = #"{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\": 1}"}}"#
        let request = try Samples.request(
            .completions,
            #"[{"role":"user","content":"q"},{"role":"assistant","content":\#(content),"tool_calls":[\#(call)]},{"role":"tool","tool_call_id":"c1","content":"r"}]"#
        )
        let use = ChatToolUse(id: "c1", name: "f", input: try json(#"{"x": 1}"#))
        #expect(request.turns[1] == ChatTurn(.assistant, [.toolUse(use)]))
        #expect(
            try Samples.messages(request)
                == #"[{"role":"user","content":{"type":"text","text":"q"}},"#
                + #"{"role":"assistant","content":{"type":"tool_use","id":"c1","name":"f","input":{"x": 1}}},"#
                + #"{"role":"user","content":{"type":"tool_result","toolUseId":"c1","content":[{"type":"text","text":"r"}]}}]"#
        )
    }

    @Test(arguments: ChatDialect.allCases, [#""""#, "[]"])
    func `an assistant without content and without calls is left out`(dialect: ChatDialect, content: String) throws {
        let request = try Samples.request(
            dialect, #"[{"role":"user","content":"a"},{"role":"assistant","content":\#(content)}]"#)
        #expect(request.turns == [.user("a")])
    }

    @Test(arguments: [
        (#""""#, "{}"), (#""{\"a\":1}""#, #"{"a":1}"#), (#""{\"a\":""#, #"{"_raw":"{\"a\":"}"#),
        (#""[1]""#, #"{"_raw":"[1]"}"#), (#"{"a":1}"#, #"{"a":1}"#), ("null", "{}"), ("7", #"{"_raw":"7"}"#),
    ])
    func `arguments are parsed, and kept raw where they are no object`(arguments: String, input: String) throws {
        let call = #"{"id":"c","type":"function","function":{"name":"f","arguments":\#(arguments)}}"#
        let request = try Samples.request(.completions, #"[{"role":"assistant","tool_calls":[\#(call)]}]"#)
        #expect(request.turns == [ChatTurn(.assistant, [.toolUse(.init(id: "c", name: "f", input: try json(input)))])])
    }

    @Test func `all results for one turn of the assistant come in one message, in all dialects`() throws {
        let calls =
            #"[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"g","arguments":"{}"}}]"#
        let chat = try Samples.request(
            .completions,
            #"[{"role":"user","content":"q"},{"role":"assistant","tool_calls":\#(calls)},{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":[{"type":"text","text":"2"}]}]"#
        )
        let responses = try Samples.request(
            .responses,
            #"[{"role":"user","content":"q"},{"type":"function_call","call_id":"a","name":"f","arguments":"{}"},{"type":"function_call","call_id":"b","name":"g","arguments":"{}"},{"type":"function_call_output","call_id":"a","output":"1"},{"type":"function_call_output","call_id":"b","output":[{"type":"input_text","text":"2"}]}]"#
        )
        let messages = try Samples.request(
            .messages,
            #"[{"role":"user","content":"q"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}},{"type":"tool_use","id":"b","name":"g","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"1"},{"type":"tool_result","tool_use_id":"b","content":[{"type":"text","text":"2"}]}]}]"#
        )
        #expect(chat.turns == responses.turns)
        #expect(chat.turns == messages.turns)
        #expect(chat.turns.count == 3)
        #expect(
            try Samples.messages(chat).hasSuffix(
                #"{"role":"user","content":[{"type":"tool_result","toolUseId":"a","content":[{"type":"text","text":"1"}]},{"type":"tool_result","toolUseId":"b","content":[{"type":"text","text":"2"}]}]}]"#
            ))
    }

    @Test func `other blocks of a message with results go into a message after it`() throws {
        let request = try Samples.request(
            .messages,
            #"[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"text","text":"before"},{"type":"tool_result","tool_use_id":"a","is_error":true},{"type":"text","text":"after"}]}]"#
        )
        #expect(
            try Samples.messages(request)
                == #"[{"role":"assistant","content":{"type":"tool_use","id":"a","name":"f","input":{}}},"#
                + #"{"role":"user","content":{"type":"tool_result","toolUseId":"a","content":[],"isError":true}},"#
                + #"{"role":"user","content":[{"type":"text","text":"before"},{"type":"text","text":"after"}]}]"#)
    }

    @Test func `the legacy role function is a result, its name the id`() throws {
        let request = try Samples.request(
            .completions,
            #"[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"r"}]"#
        )
        #expect(
            request.turns == [
                ChatTurn(.assistant, [.toolUse(.init(id: "f", name: "f", input: .emptyObject))]),
                ChatTurn(.user, [.toolResult(.init(id: "f", content: [.text("r")]))]),
            ])
        #expect(request.remarks.approximated == ["messages.function_call", "messages.function"])
    }

    @Test func `without tools in the source, tools of the past are told in words`() throws {
        let request = try Samples.request(
            .messages,
            #"[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{"x": 1}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"4"}]}]"#
        )
        let params = try Samples.params(request, SamplingAbilities())
        #expect(
            params.text.value("messages")?.description
                == #"[{"role":"assistant","content":{"type":"text","text":"called f({\"x\":1})"}},"#
                + #"{"role":"user","content":{"type":"text","text":"result: 4"}}]"#)
        #expect(params.remarks.approximated == ["messages.tools"])
        #expect(params.text.member("tools") == nil)
    }

    @Test(arguments: ChatDialect.allCases)
    func `a last message of the assistant is sent as it is`(dialect: ChatDialect) throws {
        let request = try Samples.request(
            dialect, #"[{"role":"user","content":"a"},{"role":"assistant","content":"{"}]"#)
        #expect(try Samples.messages(request).hasSuffix(#"{"role":"assistant","content":{"type":"text","text":"{"}}]"#))
    }

    @Test func `thoughts are dropped from history, and listed`() throws {
        let messages = try Samples.request(
            .messages,
            #"[{"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"s"},{"type":"redacted_thinking","data":"x"},{"type":"text","text":"a"}]}]"#
        )
        #expect(messages.turns == [.assistant("a")])
        #expect(messages.remarks.ignored == ["content.thinking", "content.redacted_thinking"])
        let responses = try Samples.request(
            .responses,
            #"[{"type":"reasoning","id":"r","summary":[],"encrypted_content":"x"},{"role":"user","content":"q"}]"#)
        #expect(responses.turns == [.user("q")])
        #expect(responses.remarks.ignored == ["input.reasoning"])
    }

    @Test func `search results keep their text, what servers of others did is listed`() throws {
        let request = try Samples.request(
            .messages,
            #"[{"role":"user","content":[{"type":"search_result","title":"T","source":"S","content":[{"type":"text","text":"x"}]}]},{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search","input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[]},{"type":"text","text":"a","citations":[]}]}]"#
        )
        #expect(request.turns == [ChatTurn(.user, [.text("T\nS"), .text("x")]), .assistant("a")])
        #expect(request.remarks.ignored == ["content.server_tool_use", "content.web_search_tool_result"])
        #expect(request.remarks.approximated == ["content.search_result"])
    }

    @Test func `members of messages that have no place are listed, marks of caches are not`() throws {
        let request = try Samples.request(
            .completions, #"[{"role":"user","name":"bob","content":[{"type":"text","text":"a","cache_control":{}}]}]"#)
        #expect(request.remarks.ignored == ["messages.name"])
    }

    @Test func `a body of Responses on chat completions is understood`() throws {
        let request = try ChatDialect.completions.request(from: try json(#"{"model":"m","input":"hi"}"#))
        #expect(request.turns == [.user("hi")])
        #expect(request.remarks.approximated == ["input"])
        let whole = try ChatDialect.completions.request(
            from: try json(
                #"{"model":"m","instructions":"Be brief.","input":[{"role":"developer","content":"d"},{"role":"user","content":"hi"}]}"#
            ))
        #expect(whole.system == ["Be brief.", "d"])
        #expect(whole.remarks.ignored.isEmpty)
        // What it goes on from is kept nowhere, here as there.
        for member in ["previous_response_id", "conversation"] {
            let body = try json(#"{"model":"m","input":"hi","\#(member)":"r"}"#)
            #expect(try fault { _ = try ChatDialect.completions.request(from: body) }?.param == member)
        }
    }
}
