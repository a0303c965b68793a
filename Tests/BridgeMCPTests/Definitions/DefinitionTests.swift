import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@Suite("Definitions of servers") struct DefinitionTests {
    private func mended(_ text: String, _ offering: Offering = .tools) throws -> String? {
        Definition(try JSONText(validating: ByteBuffer(string: text)), of: offering).text?.description
    }

    @Test(arguments: [
        (#"{"name":"t","inputSchema":{"type":"object"}}"#, Offering.tools),
        (
            #"{ "name" : "t", "x": null, "inputSchema": {"type":"object","properties":{"a":null},"$defs":null} }"#,
            .tools
        ),
        (#"{"name":"p","arguments":[{"name":"a","required":true}]}"#, .prompts),
        (#"{"uri":"file:///x","name":"x","annotations":{"audience":["user"],"priority":0.5}}"#, .resources),
        (#"{"uriTemplate":"{x}","name":"x","_meta":{"a":null}}"#, .templates),
    ])
    func `a definition as it should be stays byte for byte`(_ text: String, _ offering: Offering) throws {
        let definition = Definition(try JSONText(validating: ByteBuffer(string: text)), of: offering)
        #expect(definition.text?.description == text)
        #expect(definition.flaws.isEmpty)
    }

    @Test(arguments: [
        (#"{"name":"t"}"#, #"{"name":"t","inputSchema":{"type":"object"}}"#),
        (#"{"name":"t","inputSchema":null,"x":1}"#, #"{"name":"t","x":1,"inputSchema":{"type":"object"}}"#),
        (#"{"name":"t","inputSchema":{}}"#, #"{"name":"t","inputSchema":{"type":"object"}}"#),
        (
            #"{"name":"t","inputSchema":{"properties":{"a":{"type":null}},"required":null}}"#,
            #"{"name":"t","inputSchema":{"properties":{"a":{"type":null}},"type":"object"}}"#
        ),
        (
            #"{"name":"t","description":null,"inputSchema":{"type":"object"},"annotations":{"title":null}}"#,
            #"{"name":"t","inputSchema":{"type":"object"},"annotations":{}}"#
        ),
        (
            #"{"name":"t","description":"cut \ud83d","inputSchema":{"type":"object"}}"#,
            #"{"name":"t","description":"cut \ufffd","inputSchema":{"type":"object"}}"#
        ),
        (
            #"{"name":"t","inputSchema":{"type":"object"},"execution":{"taskSupport":"maybe"}}"#,
            #"{"name":"t","inputSchema":{"type":"object"},"execution":{}}"#
        ),
    ])
    func `what has one meaning is mended`(_ text: String, _ wanted: String) throws {
        #expect(try self.mended(text) == wanted)
    }

    @Test(arguments: [
        #"[]"#, #"{"inputSchema":{"type":"object"}}"#, #"{"name":null}"#, #"{"name":7}"#,
        #"{"name":"t","inputSchema":[]}"#, #"{"name":"t","inputSchema":{"type":"string"}}"#,
        #"{"name":"t","inputSchema":{"type":["object"]}}"#, #"{"name":"t","inputSchema":{"properties":[]}}"#,
        #"{"name":"t","inputSchema":{"required":"a"}}"#, #"{"name":"t","description":5}"#,
        #"{"name":"t","outputSchema":"x"}"#, #"{"name":"t","annotations":{"readOnlyHint":"yes"}}"#,
        #"{"name":"t","icons":[{"sizes":["any"]}]}"#, #"{"name":"t","_meta":[]}"#,
    ])
    func `what has no meaning is left out, and it is said why`(_ text: String) throws {
        let definition = Definition(try JSONText(validating: ByteBuffer(string: text)), of: .tools)
        #expect(definition.text == nil)
        #expect(!definition.flaws.isEmpty)
    }

    @Test func `a resource needs a URI that is one, and unknown words are left out`() throws {
        #expect(try self.mended(#"{"uri":"notes/a","name":"a"}"#, .resources) == nil)
        #expect(try self.mended(#"{"uri":"","name":"a"}"#, .resources) == nil)
        #expect(
            try self.mended(
                #"{"uri":"x-y:1","name":"a","annotations":{"audience":["user","all"],"priority":7}}"#, .resources)
                == #"{"uri":"x-y:1","name":"a","annotations":{"audience":["user"]}}"#)
    }

    @Test(arguments: [
        (#"{"name":"","inputSchema":{"type":"object"}}"#, "name is empty"),
        (#"{"name":"a","name":"b","inputSchema":{"type":"object"}}"#, "name is there twice"),
        (#"{"name":"a\ud83d","inputSchema":{"type":"object"}}"#, "name has half of a surrogate pair"),
    ])
    func `what tells entries apart is never mended`(_ text: String, _ flaw: String) throws {
        let definition = Definition(try JSONText(validating: ByteBuffer(string: text)), of: .tools)
        #expect(definition.text == nil && definition.flaws == [flaw])
    }

    @Test func `flaws name the place`() throws {
        let text = #"{"name":"t","inputSchema":{"type":"array"},"icons":[{"src":"data:,"},{"src":5}]}"#
        let definition = Definition(try JSONText(validating: ByteBuffer(string: text)), of: .tools)
        #expect(definition.flaws == ["inputSchema.type is not \"object\"", "icons[1].src is not a URI"])
    }
}
