import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@Suite("Resources that messages name") struct ResourceMentionsTests {
    @Test(
        arguments: [
            (
                #"{"result":{"content":[{"type":"resource_link","uri":"a:1","name":"x"},{"type":"text","text":"a:2"}]}}"#,
                ["a:1"]
            ),
            (#"{"result":{"content":[{"type":"resource","resource":{"uri":"a:1","text":""}}]}}"#, ["a:1"]),
            (#"{"result":{"messages":[{"role":"user","content":{"type":"resource_link","uri":"a:1"}}]}}"#, ["a:1"]),
            (#"{"result":{"content":[],"_meta":{"ui":{"resourceUri":"ui://x"}}}}"#, ["ui://x"]),
            (#"{"result":{"content":"a"}}"#, []), (#"{"result":7}"#, []),
            (#"{"error":{"code":1,"message":"a:1"}}"#, []),
            (
                #"{"result":{"content":[7,null,{"type":"resource_link","uri":7},{"type":"resource","resource":[]}]}}"#,
                []
            ),
        ] as [(String, [String])])
    func `a result's links and embedded resources count`(_ response: String, _ wanted: [String]) throws {
        _ = try JSONText(validating: ByteBuffer(string: response))
        #expect(ResourceMentions.uris(in: ByteBuffer(string: response)) == wanted)
    }

    @Test(arguments: [
        (#"{"error":{"code":-32002,"message":"Resource not found"}}"#, true),
        (#"{"error":{"code":-32602,"message":"Unknown resource: a:1"}}"#, true),
        (#"{"error":{"code":-32602,"message":"no","data":{"uri":"a:1"}}}"#, true),
        (#"{"error":{"code":-32602,"message":"cursor"}}"#, false),
        (#"{"error":{"code":-32603,"message":"a:1"}}"#, false),
        (#"{"result":{"contents":[]}}"#, true),
        (#"{"result":{"contents":[{"uri":"a:1","text":""}]}}"#, false),
        (#"{"result":{}}"#, false),
    ])
    func `a server may say in several ways that it has no such resource`(_ response: String, _ wanted: Bool) {
        #expect(ResourceMentions.isNotFound(ByteBuffer(string: response), uri: "a:1") == wanted)
    }

    @Test func `a tool's page is named in its definition`() throws {
        let tool = try JSONText(
            validating: ByteBuffer(string: #"{"name":"t","_meta":{"ui":{"resourceUri":"ui://t"}}}"#))
        #expect(ResourceMentions.page(ofTool: tool) == "ui://t")
    }
}
