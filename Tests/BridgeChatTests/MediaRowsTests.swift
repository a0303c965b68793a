import BridgeCore
import NIOCore
import Testing

@testable import BridgeChat

/// The rows of the mapping table that are about images, sounds and files.
@Suite("Mapping of media") struct MediaRowsTests {
    static let url = "data:image/png;base64,\(Samples.png)"

    /// A part with an image, as each dialect writes it.
    static func image(_ dialect: ChatDialect, _ base64: String = Samples.png, _ type: String = "image/png") -> String {
        switch dialect {
        case .completions: #"{"type":"image_url","image_url":{"url":"data:\#(type);base64,\#(base64)"}}"#
        case .responses: #"{"type":"input_image","detail":"auto","image_url":"data:\#(type);base64,\#(base64)"}"#
        case .messages: #"{"type":"image","source":{"type":"base64","media_type":"\#(type)","data":"\#(base64)"}}"#
        }
    }

    @Test(arguments: ChatDialect.allCases)
    func `an image is passed on as its data and its type`(dialect: ChatDialect) throws {
        let request = try Samples.request(dialect, #"[{"role":"user","content":[\#(Self.image(dialect))]}]"#)
        #expect(request.turns == [ChatTurn(.user, [.image(Samples.media())])])
        #expect(
            try Samples.messages(request)
                == #"[{"role":"user","content":{"type":"image","data":"\#(Samples.png)","mimeType":"image/png"}}]"#)
        #expect(request.remarks == ChatRemarks())
    }

    @Test(arguments: ChatDialect.allCases)
    func `first bytes win over a wrong type`(dialect: ChatDialect) throws {
        let image = Self.image(dialect, Samples.jpeg, "image/png")
        let request = try Samples.request(dialect, #"[{"role":"user","content":[\#(image)]}]"#)
        #expect(request.turns == [ChatTurn(.user, [.image(Samples.media(Samples.jpeg, "image/jpeg"))])])
    }

    @Test(arguments: [
        (ChatDialect.completions, #"{"type":"image_url","image_url":{"url":"https://example.org/a.png"}}"#),
        (.completions, #"{"type":"file","file":{"file_id":"file-1"}}"#),
        (.responses, #"{"type":"input_image","image_url":"http://example.org/a.png"}"#),
        (.responses, #"{"type":"input_image","file_id":"file-1"}"#),
        (.responses, #"{"type":"input_file","file_url":"https://example.org/a.pdf"}"#),
        (.messages, #"{"type":"image","source":{"type":"url","url":"https://example.org/a.png"}}"#),
        (.messages, #"{"type":"image","source":{"type":"file","file_id":"f"}}"#),
        (.messages, #"{"type":"document","source":{"type":"url","url":"https://example.org/a.pdf"}}"#),
    ])
    func `what would have to be fetched is refused`(dialect: ChatDialect, part: String) throws {
        let fault = try fault { _ = try Samples.request(dialect, #"[{"role":"user","content":[\#(part)]}]"#) }
        #expect(fault?.kind == .unsupported)
        #expect(fault?.status(in: dialect) == 400)
        let name = dialect == .responses ? "input[0].content[0]" : "messages[0].content[0]"
        #expect(fault?.param?.hasPrefix(name) == true)
    }

    @Test func `base64 is mended where it has one meaning, and refused where it has none`() throws {
        func read(_ data: String) throws -> [ChatTurn] {
            let image = #"{"type":"image","source":{"type":"base64","media_type":"image/png","data":"\#(data)"}}"#
            return try Samples.request(.messages, #"[{"role":"user","content":[\#(image)]}]"#).turns
        }
        let expected = [ChatTurn(.user, [.image(Samples.media())])]
        #expect(try read(Samples.png) == expected)
        #expect(try read(String(Samples.png.dropLast(2))) == expected)
        #expect(try read(Samples.png.replacing("/", with: #"\/"#)) == expected)
        #expect(try read(Samples.png.replacing("AAAA", with: #"AA\nAA"#)) == expected)
        #expect(try read(Samples.png.replacing("+", with: "-").replacing("/", with: "_")) == expected)
        for bad in ["", "A", "AAAAA", "AA=A", "AAAA====", "AAA!", "é123"] {
            #expect(throws: ChatFault.self, "\(bad)") { try read(bad) }
        }
        for bad in ["data:image/png,abc", "data:image/png;base64", "data:;base64,AAAA", "data:text/plain;base64,AAAA"] {
            let part = #"{"type":"image_url","image_url":{"url":"\#(bad)"}}"#
            #expect(throws: ChatFault.self, "\(bad)") {
                try Samples.request(.completions, #"[{"role":"user","content":[\#(part)]}]"#)
            }
        }
    }

    @Test func `images inside results stay there, or follow in the next message where the source looks at text only`()
        throws
    {
        let request = try Samples.request(
            .messages,
            #"[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":"t"},\#(Self.image(.messages))]}]}]"#
        )
        let image = #"{"type":"image","data":"\#(Samples.png)","mimeType":"image/png"}"#
        #expect(
            try Samples.messages(request).hasSuffix(
                #"{"type":"tool_result","toolUseId":"a","content":[{"type":"text","text":"t"},\#(image)]}}]"#))
        let params = try Samples.params(
            request, SamplingAbilities(takesTools: true, takesAudio: true, takesImagesInResults: false))
        let messages = params.text.value("messages")?.description ?? ""
        #expect(messages.hasSuffix(#"{"role":"user","content":\#(image)}]"#))
        #expect(messages.contains("follows in the next message"))
        #expect(params.remarks.approximated == ["tool_result.content"])
    }

    @Test func `sound is passed on where the source takes it, and refused where not`() throws {
        let part = #"{"type":"input_audio","input_audio":{"data":"UklGRgAAAABXQVZF","format":"wav"}}"#
        let request = try Samples.request(.completions, #"[{"role":"user","content":[\#(part)]}]"#)
        #expect(
            try Samples.messages(request)
                == #"[{"role":"user","content":{"type":"audio","data":"UklGRgAAAABXQVZF","mimeType":"audio/wav"}}]"#)
        let fault = try fault { _ = try Samples.params(request, SamplingAbilities()) }
        #expect(fault?.kind == .unsupported)
    }

    @Test func `documents of plain text become text, others are refused`() throws {
        let text = #"{"type":"document","title":"t","source":{"type":"text","media_type":"text/plain","data":"abc"}}"#
        let request = try Samples.request(.messages, #"[{"role":"user","content":[\#(text)]}]"#)
        #expect(request.turns == [.user("abc")])
        #expect(request.remarks.approximated == ["content.document"])
        #expect(request.remarks.ignored == ["content.title"])
        let file = #"{"type":"input_file","filename":"a.txt","file_data":"data:text/plain;base64,aGVsbG8="}"#
        #expect(try Samples.request(.responses, #"[{"role":"user","content":[\#(file)]}]"#).turns == [.user("hello")])
        let pdf = #"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="}}"#
        let fault = try fault { _ = try Samples.request(.messages, #"[{"role":"user","content":[\#(pdf)]}]"#) }
        #expect(fault?.kind == .unsupported)
    }

    @Test func `one message for each block, for a source of an older revision`() throws {
        let request = try Samples.request(
            .completions,
            #"[{"role":"user","content":[{"type":"text","text":"a"},\#(Self.image(.completions))]}]"#)
        #expect(
            try Samples.messages(request, SamplingAbilities(takesLists: false))
                == #"[{"role":"user","content":{"type":"text","text":"a"}},"#
                + #"{"role":"user","content":{"type":"image","data":"\#(Samples.png)","mimeType":"image/png"}}]"#)
    }
}
