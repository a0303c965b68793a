import BridgeChat
import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

@Suite("The sandbox") struct SandboxTests {
    private static func request(_ model: String = "m", _ text: String = "hello") -> ChatRequest {
        var request = ChatRequest(model: model)
        request.turns = [.user("before"), .assistant("yes"), .user(text)]
        return request
    }

    private static func answer(_ request: ChatRequest) throws -> ChatAnswer {
        try Sandbox.answer(to: request).outcome.get()
    }

    private static func tool(_ schema: StaticString) -> ChatTool {
        ChatTool(name: "look", inputSchema: JSONText(literal: schema))
    }

    @Test func `says what was said last`() throws {
        let answer = try Self.answer(Self.request())
        #expect(answer.text == "hello" && answer.stop == .endTurn && answer.model == "m")
        #expect(try Self.answer(Self.request("auto")).model == "mcp-external-sampling")
        var image = Self.request()
        let media = try #require(
            try ChatDialect.completions.request(
                from: JSONText(
                    literal:
                        #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0KGgo="}}]}]}"#
                )
            ).turns.last)
        image.turns = [media]
        #expect(try Self.answer(image).text == "see\n[image/png, 8 bytes]")
    }

    @Test func `is as long as it may be`() throws {
        var request = Self.request("m", "ααααα")
        request.maximumTokens = 1
        let answer = try Self.answer(request)
        #expect(answer.text == "αα" && answer.stop == .maximumTokens)
    }

    @Test(arguments: [Int.max, Int.max / 4, Int.max / 4 + 1])
    func `a limit that nothing reaches cuts nothing`(limit: Int) throws {
        var request = Self.request()
        request.maximumTokens = limit
        let answer = try Self.answer(request)
        #expect(answer.text == "hello" && answer.stop == .endTurn)
    }

    @Test func `calls a tool where one must be called, and not after its result`() throws {
        var request = Self.request()
        request.tools = [
            Self.tool(#"{"type":"object","properties":{"q":{"type":"string"},"n":{"type":"integer","minimum":3}}}"#)
        ]
        #expect(try Self.answer(request).toolUses.isEmpty)
        request.toolChoice = .tool("look")
        let call = try #require(try Self.answer(request).toolUses.first)
        #expect(call.name == "look" && call.input == JSONText(literal: #"{"q":"hello","n":3}"#))
        request.turns.append(ChatTurn(.assistant, [.toolUse(call)]))
        request.turns.append(ChatTurn(.user, [.toolResult(ChatToolResult(id: call.id, content: [.text("42")]))]))
        #expect(try Self.answer(request).text == "42")
    }

    @Test func `keeps to the form that was asked for`() throws {
        var request = Self.request()
        request.format = .json
        #expect(try Self.answer(request).text == #"{"echo":"hello"}"#)
        let schema = JSONText(
            literal:
                ##"{"$defs":{"p":{"type":"object","properties":{"x":{"type":"number"}}}},"type":"object","properties":{"a":{"$ref":"#/$defs/p"},"b":{"enum":["u","v"]},"c":{"type":["null","string"]},"d":{"type":"array","items":{"type":"boolean"},"minItems":2},"e":{"anyOf":[{"const":7}]},"f":{}}}"##
        )
        request.format = .schema(.init(schema: schema, isStrict: true))
        let answer = try Self.answer(request)
        #expect(answer.text == #"{"a":{"x":0},"b":"u","c":null,"d":[false,false],"e":7,"f":"hello"}"#)
        #expect(request.format.check(answer) == .met(answer))
    }

    @Test func `a schema that is itself ends`() {
        let schema = JSONText(
            literal: ##"{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"},"c":{"$ref":"#"}}}"##)
        #expect(SchemaExample.value(by: schema, text: "").count < 1_000_000)
    }

    @Test(arguments: [#""const":"LONG""#, #""default":"LONG""#, #""enum":["LONG"]"#])
    func `a schema that asks for one thing often is met as far as there is room`(value: String) throws {
        let long = String(repeating: "x", count: 100_000)
        let entry = "{\(value.replacing("LONG", with: long))}"
        let members = (0..<1_000).map { ##""m\##($0)":{"$ref":"#/$defs/e"}"## }.joined(separator: ",")
        let schema = try JSONText(
            validating: ByteBuffer(string: ##"{"$defs":{"e":\##(entry)},"type":"object","properties":{\##(members)}}"##)
        )
        let example = SchemaExample.value(by: schema, text: "")
        #expect(example.count < 2 * SchemaExample.maximumBytes && example.value("m0")?.string == long)
        #expect((try? JSONText(validating: example.bytes)) != nil)
    }

    @Test func `what was said last is said again as often as there is room, and once in any case`() throws {
        let long = String(repeating: "x", count: 1_000_000)
        let members = (0..<100).map { #""m\#($0)":{"type":"string"}"# }.joined(separator: ",")
        let schema = try JSONText(
            validating: ByteBuffer(string: #"{"type":"object","properties":{\#(members)}}"#))
        let example = SchemaExample.value(by: schema, text: long)
        #expect(example.count < 1_000_000 + 2 * SchemaExample.maximumBytes)
        #expect(example.value("m0")?.string == long && example.value("m99")?.string == "")
    }

    @Test func `names of models stand for what goes wrong, and for waiting`() throws {
        for kind in ChatFaultKind.all {
            let said = Sandbox.answer(to: Self.request("fault/\(kind.word)"))
            guard case .failure(let fault) = said.outcome else { Issue.record("\(kind.word)"); continue }
            #expect(fault.kind == kind && said.delay == nil)
        }
        #expect(Sandbox.answer(to: Self.request("wait/1.5")).delay == .milliseconds(1_500))
        #expect(Sandbox.answer(to: Self.request("fault/source_lost/2")).delay == .seconds(2))
        for name in ["wait/x", "wait/601", "wait/-1", "fault/unknown", "fault/source_lost/1/2", "wait/nan"] {
            #expect(try Self.answer(Self.request(name)).text == "hello", "\(name)")
        }
    }
}
