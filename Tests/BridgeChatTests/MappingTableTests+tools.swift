import BridgeCore
import Testing

@testable import BridgeChat

extension MappingTableTests {
    @Test(arguments: [(ChatDialect.completions, "web_search"), (.responses, "namespace"), (.messages, "bash_20250124")])
    func `tools and their choice`(dialect: ChatDialect, hosted: String) throws {
        let tool = Samples.tool(dialect)
        let base = #""tools":[\#(tool)]"#
        let others = #""tools":[{"type":"\#(hosted)","name":"x"},\#(tool)]"#
        let isMessages = dialect == .messages
        func choice(_ word: String) -> String {
            #""tool_choice":\#(isMessages ? #"{"type":"\#(word)"}"# : "\"\(word)\"")"#
        }
        let forced = [
            ChatDialect.completions: #"{"type":"function","function":{"name":"f"}}"#,
            .responses: #"{"type":"function","name":"f"}"#, .messages: #"{"type":"tool","name":"f"}"#,
        ]
        let foreign = isMessages ? #"{"type":"tool","name":"x"}"# : #"{"type":"\#(hosted)"}"#
        let single = isMessages ? "tool_choice.disable_parallel_tool_use" : "parallel_tool_calls"
        let rows: [Row] = [
            .member(base, .honoured), .member(choice("auto"), .idle, beside: base),
            .member(choice("none"), .honoured, beside: base),
            .member(choice(isMessages ? "any" : "required"), .honoured, beside: base),
            .member(#""tool_choice":\#(forced[dialect] ?? "")"#, .approximated(["tool_choice"]), beside: base),
            Row(name: "hosted", mark: .ignored("tools.\(hosted)"), more: (base, others)),
            Row(
                name: "hosted, forced", mark: .refused("tool_choice"),
                more: (base, #"\#(others),"tool_choice":\#(foreign)"#)),
            .member(
                isMessages
                    ? #""tool_choice":{"type":"auto","disable_parallel_tool_use":true}"#
                    : #""parallel_tool_calls":false"#,
                .approximated([single]), beside: base),
        ]
        for row in rows { try Self.check(row, dialect) }
    }

    @Test func `functions of old`() throws {
        let functions = #""functions":[{"name":"f"}]"#
        try Self.check(.member(functions, .approximated(["functions"])), .completions)
        let call = Row.member(
            #""function_call":"none""#, .approximated(["functions", "function_call"]), beside: functions)
        try Self.check(call, .completions)
    }
}
