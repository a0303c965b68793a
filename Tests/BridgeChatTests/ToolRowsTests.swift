import BridgeCore
import Testing

@testable import BridgeChat

/// The rows of the mapping table that are about tools.
@Suite("Mapping of tools") struct ToolRowsTests {
    @Test(arguments: [
        (
            ChatDialect.completions,
            #"{"type":"function","function":{"name":"f","description":"d","parameters":{"type": "object"},"strict":true}}"#
        ),
        (.completions, #"{"type":"function","name":"f","description":"d","parameters":{"type": "object"}}"#),
        (
            .responses,
            #"{"type":"function","name":"f","description":"d","parameters":{"type": "object"},"strict":true,"defer_loading":true}"#
        ),
        (
            .messages,
            #"{"name":"f","description":"d","input_schema":{"type": "object"},"cache_control":{},"defer_loading":true,"eager_input_streaming":true}"#
        ),
        (.messages, #"{"type":"custom","name":"f","description":"d","input_schema":{"type": "object"}}"#),
    ])
    func `a tool is passed on with its schema byte for byte, without members that MCP does not have`(
        dialect: ChatDialect, tool: String
    ) throws {
        let request = try Samples.asking(dialect, #""tools":[\#(tool)]"#)
        let params = try Samples.params(request)
        #expect(
            params.text.value("tools")?.description
                == #"[{"name":"f","description":"d","inputSchema":{"type": "object"}}]"#)
        #expect(params.text.value("toolChoice")?.description == #"{"mode":"auto"}"#)
        #expect(request.remarks == ChatRemarks())
    }

    @Test(arguments: ChatDialect.allCases)
    func `tools are refused where the source takes none, before it is asked`(dialect: ChatDialect) throws {
        let request = try Samples.asking(dialect, #""tools":[\#(Samples.tool(dialect))]"#)
        let fault = try fault { _ = try Samples.params(request, SamplingAbilities()) }
        #expect(fault?.kind == .toolsNotSupported)
        #expect(fault?.status(in: dialect) == 400)
        #expect(fault?.sourceWasAsked == false)
        #expect(throws: ChatFault.self) {
            try Samples.params(request, SamplingAbilities(takesTools: true, takesLists: false))
        }
    }

    @Test func `tools that must not be called do not matter to a source without tools`() throws {
        let request = try Samples.asking(
            .completions, #""tools":[\#(Samples.tool(.completions))],"tool_choice":"none""#)
        let params = try Samples.params(request, SamplingAbilities())
        #expect(params.text.member("tools") == nil)
        #expect(params.remarks.ignored == ["tools"])
    }

    @Test(arguments: [
        (#"{"properties":{}}"#, #"{"type":"object","properties":{}}"#),
        (#"{"type":null,"properties":{}}"#, #"{"type":"object","properties":{}}"#),
        (#"{"title":"t","type":["object","null"]}"#, #"{"type":"object","title":"t"}"#),
        (#"{"type":["string","object"]}"#, #"{"type":"object"}"#),
        (
            #"{"anyOf":[{"type":"null"},{"type":"object","required":["a"]}]}"#,
            #"{"type":"object","anyOf":[{"type":"null"},{"type":"object","required":["a"]}]}"#
        ),
        (##"{"oneOf":[{"$ref":"#/$defs/a"}]}"##, ##"{"type":"object","oneOf":[{"$ref":"#/$defs/a"}]}"##),
        (#"{"allOf":[{"required":["a"]},true]}"#, #"{"type":"object","allOf":[{"required":["a"]},true]}"#),
        (#"{"enum":[1,{}]}"#, #"{"type":"object","enum":[1,{}]}"#),
        (#"{"const":{}}"#, #"{"type":"object","const":{}}"#),
        ("{}", #"{"type":"object"}"#),
    ])
    func `a schema that does not say object alone says so here, and that is told`(schema: String, sent: String) throws {
        for (dialect, name, tool) in Self.tools(schema) {
            let request = try Samples.asking(dialect, #""tools":[\#(tool)]"#)
            #expect(request.tools.map(\.inputSchema.description) == [sent])
            #expect(request.remarks.approximated == ["tools.\(name).type"])
        }
    }

    @Test(arguments: [
        (#"{"type":"string"}"#, ".type"), (#"{"type":["string","null"]}"#, ".type"), (#"{"type":5}"#, ".type"),
        (#"{"type":[]}"#, ".type"), (#"{"anyOf":[{"type":"null"},{"type":["array"]}]}"#, ""),
        (#"{"oneOf":[{"anyOf":[{"const":1}]}]}"#, ""), (#"{"allOf":[{},{"type":"array"}]}"#, ""),
        (#"{"enum":["a",null]}"#, ""), (#"{"const":null}"#, ""), (#"{"anyOf":[false]}"#, ""),
    ])
    func `a schema that no object is valid by is refused`(schema: String, place: String) throws {
        for (dialect, name, tool) in Self.tools(schema) {
            let fault = try fault { _ = try Samples.asking(dialect, #""tools":[\#(tool)]"#) }
            let path = dialect == .completions ? "tools[0].function" : "tools[0]"
            #expect(fault?.param == "\(path).\(name)\(place)")
            #expect(fault?.status(in: dialect) == 400)
        }
    }

    @Test func `a tool without a schema takes nothing`() throws {
        let request = try Samples.asking(.messages, #""tools":[{"name":"g"},{"name":"h","input_schema":null}]"#)
        #expect(request.tools.map(\.inputSchema) == [ChatTool.emptySchema, ChatTool.emptySchema])
        #expect(request.remarks == ChatRemarks())
    }

    @Test func `only so much of a schema is looked at`() throws {
        let deep =
            String(repeating: #"{"anyOf":["#, count: 40) + #"{"type":"null"}"# + String(repeating: "]}", count: 40)
        #expect(try json(deep).mayTakeObjects())
    }

    /// One tool with this schema in each dialect, and what the dialect calls the schema.
    private static func tools(_ schema: String) -> [(ChatDialect, name: String, tool: String)] {
        [
            (
                .completions, "parameters",
                #"{"type":"function","function":{"name":"f","parameters":\#(schema)}}"#
            ), (.responses, "parameters", #"{"type":"function","name":"f","parameters":\#(schema)}"#),
            (.messages, "input_schema", #"{"name":"f","input_schema":\#(schema)}"#),
        ]
    }

    @Test(arguments: ["", "a b", "ä", String(repeating: "x", count: 129)])
    func `a name that no client could mean is refused`(name: String) throws {
        for dialect in ChatDialect.allCases {
            #expect(throws: ChatFault.self) {
                try Samples.asking(dialect, #""tools":[\#(Samples.tool(dialect, name))]"#)
            }
        }
    }

    @Test func `two tools of one name are refused`() throws {
        let fault = try fault { _ = try Samples.asking(.messages, #""tools":[{"name":"f"},{"name":"f"}]"#) }
        #expect(fault?.param == "tools")
    }

    @Test(arguments: [
        (ChatDialect.completions, "web_search"), (.responses, "web_search"), (.responses, "mcp"),
        (.responses, "computer_use_preview"), (.responses, "namespace"), (.messages, "bash_20250124"),
        (.messages, "web_search_20250305"), (.messages, "tool_search_tool_regex_20251119"),
    ])
    func `tools that others run are taken out and listed`(dialect: ChatDialect, type: String) throws {
        let request = try Samples.asking(
            dialect, #""tools":[{"type":"\#(type)","name":"x"},\#(Samples.tool(dialect))]"#)
        #expect(request.tools.map(\.name) == ["f"])
        #expect(request.remarks.ignored == ["tools.\(type)"])
    }

    @Test func `a choice that forces a tool of others is refused`() throws {
        let fault = try fault {
            _ = try Samples.asking(.responses, #""tools":[{"type":"web_search"}],"tool_choice":{"type":"web_search"}"#)
        }
        #expect(fault?.param == "tool_choice")
        #expect(throws: ChatFault.self) {
            try Samples.asking(.responses, #""tools":[{"type":"web_search"}],"tool_choice":"required""#)
        }
        #expect(throws: ChatFault.self) {
            try Samples.asking(
                .messages,
                #""tools":[{"type":"bash_20250124","name":"bash"}],"tool_choice":{"type":"tool","name":"bash"}"#)
        }
    }

    @Test(arguments: [
        (ChatDialect.completions, #""auto""#, "auto"), (.completions, #""none""#, "none"),
        (.completions, #""required""#, "required"),
        (.responses, #""auto""#, "auto"), (.responses, #""none""#, "none"), (.responses, #""required""#, "required"),
        (.messages, #"{"type":"auto"}"#, "auto"), (.messages, #"{"type":"none"}"#, "none"),
        (.messages, #"{"type":"any"}"#, "required"),
    ])
    func `choices have their words`(dialect: ChatDialect, choice: String, mode: String) throws {
        let request = try Samples.asking(dialect, #""tools":[\#(Samples.tool(dialect))],"tool_choice":\#(choice)"#)
        #expect(try Samples.params(request).text.value("toolChoice")?.string("mode") == mode)
    }

    @Test(arguments: [
        (ChatDialect.completions, #"{"type":"function","function":{"name":"g"}}"#),
        (.responses, #"{"type":"function","name":"g"}"#), (.messages, #"{"type":"tool","name":"g"}"#),
    ])
    func `a forced tool is the only one, and required`(dialect: ChatDialect, choice: String) throws {
        let tools = "\(Samples.tool(dialect)),\(Samples.tool(dialect, "g"))"
        let request = try Samples.asking(dialect, #""tools":[\#(tools)],"tool_choice":\#(choice)"#)
        let params = try Samples.params(request).text
        #expect(params.value("tools")?.elementTexts.map { $0.string("name") } == ["g"])
        #expect(params.value("toolChoice")?.description == #"{"mode":"required"}"#)
        #expect(request.remarks.approximated == ["tool_choice"])
        #expect(throws: ChatFault.self) {
            try Samples.asking(dialect, #""tools":[\#(Samples.tool(dialect))],"tool_choice":\#(choice)"#)
        }
    }

    @Test func `a choice among some tools leaves the others out`() throws {
        let tools = "\(Samples.tool(.completions)),\(Samples.tool(.completions, "g"))"
        let choice =
            #"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}"#
        let request = try Samples.asking(.completions, #""tools":[\#(tools)],"tool_choice":\#(choice)"#)
        #expect(request.tools.map(\.name) == ["g"])
        #expect(request.toolChoice == .required)
    }

    @Test(arguments: [
        (ChatDialect.completions, #""parallel_tool_calls":false"#), (.responses, #""parallel_tool_calls":false"#),
        (.messages, #""tool_choice":{"type":"auto","disable_parallel_tool_use":true}"#),
    ])
    func `where one call is wanted, the first is kept`(dialect: ChatDialect, member: String) throws {
        let request = try Samples.asking(dialect, #""tools":[\#(Samples.tool(dialect))],\#(member)"#)
        #expect(!request.allowsParallelCalls)
        let calls = ["a", "b"].map { ChatAnswer.Block.toolUse(.init(id: $0, name: "f", input: .emptyObject)) }
        let answer = ChatAnswer(model: "m", blocks: [.text("t")] + calls, stop: .toolUse)
        #expect(answer.fitted(to: request, idPrefix: "c").toolUses.map(\.id) == ["a"])
    }

    @Test func `functions of old are tools, and a call of one is told as it was then`() throws {
        let request = try Samples.asking(
            .completions, #""functions":[{"name":"f","parameters":{"type":"object"}}],"function_call":{"name":"f"}"#)
        #expect(request.tools.map(\.name) == ["f"])
        #expect(request.toolChoice == .tool("f"))
        let calls = ["a", "b"].map { ChatAnswer.Block.toolUse(.init(id: $0, name: "f", input: .emptyObject)) }
        let answer = ChatAnswer(model: "m", blocks: calls, stop: .toolUse).fitted(to: request, idPrefix: "c")
        let body = CompletionsAnswer.body(answer, to: request, identity: Samples.identity)
        let choice = try #require(body.value("choices")?.elementTexts.first)
        #expect(choice.string("finish_reason") == "function_call")
        #expect(choice.value("message")?.value("function_call")?.description == #"{"name":"f","arguments":"{}"}"#)
    }

    @Test(arguments: [ChatDialect.completions, .responses])
    func `a tool that takes a plain text is one with a single string, there and back`(dialect: ChatDialect) throws {
        let inner = #""name":"patch","format":{"type":"grammar","syntax":"lark","definition":"start: x"}"#
        let tool =
            dialect == .completions ? #"{"type":"custom","custom":{\#(inner)}}"# : #"{"type":"custom",\#(inner)}"#
        let request = try Samples.asking(dialect, #""tools":[\#(tool)]"#)
        #expect(request.tools.first?.description?.hasSuffix("start: x") == true)
        let use = ChatToolUse(id: "c", name: "patch", input: try json(#"{"input":"*** x"}"#))
        let answer = ChatAnswer(model: "m", blocks: [.toolUse(use)], stop: .toolUse).fitted(to: request, idPrefix: "c")
        let body = dialect.body(of: answer, to: request, identity: Samples.identity).description
        let expected =
            dialect == .completions
            ? #"{"id":"c","type":"custom","custom":{"name":"patch","input":"*** x"}}"#
            : #""type":"custom_tool_call","status":"completed","call_id":"c","name":"patch","input":"*** x"}"#
        #expect(body.contains(expected))
    }
}
