import BridgeCore
import NIOCore
import Testing

@testable import BridgeFront

@Suite("POST bodies") struct PostBodyTests {
    private static func read(_ text: String) -> Result<PostBody, PostRefusal> {
        PostBody.read(ByteBuffer(string: text), limit: 1 << 20)
    }

    private static func refusal(_ text: String) -> PostRefusal? {
        if case .failure(let refusal) = read(text) { refusal } else { nil }
    }

    @Test func `a request has one id and a method`() throws {
        let body = try Self.read(#" {"jsonrpc":"2.0","id":"a\"b","method":"tools/call","params":{}} "#).get()
        #expect(body.requestIDs.map(\.description) == [#""a\"b""#])
        #expect(body.method == "tools/call")
        #expect(!body.isBatch)
    }

    @Test func `a batch has the ids of its requests alone`() throws {
        let body = try Self.read(
            #"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":2,"result":{}}]"#
        ).get()
        #expect(body.requestIDs.map(\.description) == ["1"])
        #expect(body.isBatch)
        #expect(body.mayBeRepeated)
    }

    @Test(arguments: [
        "initialize", "ping", "tools/list", "prompts/list", "resources/list", "resources/templates/list",
        "resources/read", "prompts/get", "completion/complete",
    ])
    func `what only reads may be repeated`(method: String) throws {
        #expect(try Self.read(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)"}"#).get().mayBeRepeated)
    }

    @Test(arguments: ["tools/call", "logging/setLevel", "resources/subscribe", "tasks/cancel", "x", "tools/List"])
    func `what may act is never repeated, alone or in a batch`(method: String) throws {
        let request = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)"}"#
        #expect(try !Self.read(request).get().mayBeRepeated)
        #expect(try !Self.read(#"[{"jsonrpc":"2.0","id":2,"method":"ping"},\#(request)]"#).get().mayBeRepeated)
    }

    @Test(arguments: ["", "{", "{]", "nul", "{\"a\":\"\u{1}\"}", "{} {}"])
    func `what is no JSON is a parse error`(text: String) {
        #expect(Self.refusal(text)?.refusal.told.fault.code == -32700)
    }

    @Test(arguments: ["1", "\"x\"", "null", "{}", "[]", "[1]", "[[]]", #"{"jsonrpc":"1.0","id":1,"method":"x"}"#])
    func `JSON that is no message is an invalid request`(text: String) {
        #expect(Self.refusal(text)?.refusal.told.fault.code == -32600)
    }

    @Test func `the id of an invalid request is told back where there is one`() {
        #expect(Self.refusal(#"{"id":7,"method":"x"}"#)?.id == ByteBuffer(string: "7"))
        #expect(Self.refusal(#"{"id":7,"id":8,"method":"x"}"#)?.id == nil)
    }
}
