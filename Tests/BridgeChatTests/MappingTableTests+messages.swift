import BridgeCore
import Testing

@testable import BridgeChat

extension MappingTableTests {
    @Test(arguments: ChatDialect.allCases) func `messages of all dialects`(dialect: ChatDialect) throws {
        let hello = Row.hello.dropLast()
        let place = dialect == .responses ? "input[0].content[0]" : "messages[0].content[0]"
        let link = MediaRowsTests.image(dialect).replacing(MediaRowsTests.url, with: "https://example.org/a.png")
        let rows: [Row] = [
            .turns(Row.hello, #"[{"role":"system","content":"s"},{"role":"user","content":"hi"}]"#, .honoured),
            .turns(Row.hello, #"\#(hello),{"role":"system","content":"s"}]"#, .approximated(["messages.system"])),
            .turns(Row.hello, #"\#(hello),{"role":"user","content":"hi"}]"#, .honoured),
            .turns(Row.hello, #"\#(hello),{"role":"assistant","content":"{"}]"#, .approximated(["messages.prefill"])),
            .turns(Row.hello, #"\#(hello),{"role":"assistant","content":""}]"#, .idle),
            .part(MediaRowsTests.image(dialect), .honoured),
            .part(
                dialect == .messages ? #"{"type":"image","source":{"type":"url","url":"https://x"}}"# : link,
                .refused(place)),
        ]
        for row in rows { try Self.check(row, dialect) }
    }

    @Test func `messages of chat completions`() throws {
        let call = #"{"id":"c","type":"function","function":{"name":"f","arguments":"{"}}"#
        let asked = #"{"role":"assistant","content":null,"tool_calls":[\#(call)]}"#
        let file = #"{"type":"file","file":{"file_data":"data:text/plain;base64,aGVsbG8="}}"#
        let rows: [Row] = [
            .turns(Row.hello, #"[\#(asked),{"role":"tool","tool_call_id":"c","content":"r"}]"#, .honoured),
            .turns(
                Row.hello,
                #"[{"role":"assistant","function_call":{"name":"f"}},{"role":"function","name":"f","content":"r"}]"#,
                .approximated(["messages.function_call", "messages.function"])),
            .part(#"{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}"#, .honoured),
            .part(file, .approximated(["content.file"])),
            .part(file.replacing("text/plain", with: "application/pdf"), .refused("messages[0].content[0]")),
            .part(#"{"type":"file","file":{"file_id":"f"}}"#, .refused("messages[0].content[0]")),
        ]
        for row in rows { try Self.check(row, .completions) }
    }

    @Test func `items of Responses`() throws {
        let reasoning = #"{"type":"reasoning","summary":[],"encrypted_content":"x"}"#
        let call = #"{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}"#
        let file = #"{"type":"input_file","filename":"a","file_data":"data:text/plain;base64,aGVsbG8="}"#
        let noted = #"{"type":"output_text","text":"a","annotations":[{"type":"url_citation"}]}"#
        func said(_ part: String) -> String {
            #"[{"role":"assistant","content":[\#(part)]},{"role":"user","content":"q"}]"#
        }
        let rows: [Row] = [
            .turns(Row.hello, #"[\#(call),{"type":"function_call_output","call_id":"c","output":"r"}]"#, .honoured),
            .turns(Row.hello, #"[\#(reasoning),\#(Row.hello.dropFirst())"#, .ignored("input.reasoning")),
            .turns(
                said(#"{"type":"output_text","text":"a","annotations":[]}"#), said(noted),
                .ignored("input.content.annotations")),
            .part(file, .approximated(["content.file"])),
            .part(#"{"type":"input_file","file_url":"https://x"}"#, .refused("input[0].content[0]")),
        ]
        for row in rows { try Self.check(row, .responses) }
    }

    @Test func `blocks of messages`() throws {
        let use = #"{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}"#
        let result = #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":"r"}]}"#
        let thinking = #"{"type":"thinking","thinking":"t","signature":"s"},"#
        func said(_ blocks: String) -> String {
            #"[{"role":"assistant","content":[\#(blocks){"type":"text","text":"a"}]},{"role":"user","content":"q"}]"#
        }
        func document(_ more: String) -> String {
            #"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"d"}\#(more)}"#
        }
        let plain = #"[{"role":"user","content":[\#(document(""))]}]"#
        let rows: [Row] = [
            .turns(Row.hello, "[\(use),\(result)]", .honoured),
            .turns(said(""), said(thinking), .ignored("content.thinking")),
            .turns(
                said(""), said(#"{"type":"redacted_thinking","data":"x"},"#), .ignored("content.redacted_thinking")),
            .turns(
                said(""), said(#"{"type":"server_tool_use","id":"s","name":"n","input":{}},"#),
                .ignored("content.server_tool_use")),
            .turns(
                said(#"{"type":"text","text":"b"},"#),
                said(#"{"type":"text","text":"b","citations":[{"type":"char_location"}]},"#),
                .ignored("content.citations")),
            .turns(said(""), said(#"{"type":"text","text":"","citations":[]},"#), .idle),
            .part(#"{"type":"search_result","title":"T","source":"S"}"#, .approximated(["content.search_result"])),
            .part(document(""), .approximated(["content.document"])),
            .part(
                #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}"#,
                .refused("messages[0].content[0]")),
        ]
        for row in rows { try Self.check(row, .messages) }
        // A document that is to be cited is passed on, and the wish is named.
        for (wish, names) in [("true", ["content.citations"]), ("false", [])] {
            let cited = document(#","citations":{"enabled":\#(wish)}"#)
            let request = try Samples.request(.messages, #"[{"role":"user","content":[\#(cited)]}]"#)
            #expect(request.remarks.ignored == names)
            #expect(try Samples.messages(request) == Samples.messages(try Samples.request(.messages, plain)))
        }
    }
}
