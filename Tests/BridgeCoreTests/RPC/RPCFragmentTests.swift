import NIOCore
import Testing

@testable import BridgeCore

@Suite("Fragments of RPC messages") struct RPCFragmentTests {
    @Test(
        arguments: [
            (#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"text":"\#u{0}cut o"#, "answer 7"),
            (#"{"result": {"a":[1,{"b":"},\""}]}, "id": 12, rubbish"#, "answer 12"),
            (#"{"id":3,"error":{"code":"#, "answer 3"),
            (#"{"id":3,"error":null,"result":{"co"#, "answer 3"), (#"{"id":3,"error":null,"resu"#, nil),
            (#"{"id":3,"method":"ping","result":1}"#, nil),
            (#"{"id":3,"params":{}}"#, nil),
            (#"{"id":"3","result":{}"#, #"answer "3""#), (#"{"id":5.0,"result":{}"#, "answer 5.0"),
            (#"{"id":5x,"result":{}"#, nil), (#"{"id":-5,"result":{}"#, "answer -5"),
            (#"{"id":null,"result":{}"#, nil), (#"{"id":{},"result":{}"#, nil),
            (#"{"id":5 6,"result":{}"#, nil), (#"{"id" 5,"result":{}"#, nil),
            (#"{"result":{"x":tru},"id":57}"#, "answer 57"), (#"{"result":{"x":tru},"id":5"#, nil),
            (#"{"id" : 5 , "result":{}"#, "answer 5"),
            (#"{"a":{"id":3,"result":1}}"#, nil),
            (#"{"jsonrpc":"2.0","id":"q","method":"roots/list","params":{"#, #"request "q""#),
            (#"{"method":"roots/list","params":{"a":tru},"id":1.5,"#, "request 1.5"),
            ("x", nil), ("{", nil), (#"{"id"#, nil), (#"{"id":"#, nil), (#"{"id":1,"re"#, nil), (#"{"\"#, nil),
        ] as [(String, String?)])
    func `the id is told of what begins like an answer or a request, and of nothing else`(
        text: String, expected: String?
    ) {
        let (fragment, octets) = RPCFragment.read(ByteBuffer(string: text))
        #expect(fragment.map { "\($0.kind) \($0.id)" } == expected)
        #expect(octets <= text.utf8.count)
    }

    @Test func `the version is told where it was seen`() {
        let versioned = RPCFragment.read(ByteBuffer(string: #"{"jsonrpc":"2.0","id":7,"result":{"#)).fragment
        #expect(versioned?.isVersioned == true)
        for start in [#"{"id":7,"result":{},"jsonrpc":"2.0""#, #"{"jsonrpc":2.0,"id":7,"result":{"#] {
            #expect(RPCFragment.read(ByteBuffer(string: start)).fragment?.isVersioned == false)
        }
    }

    @Test func `what follows the id of an answer is not looked at`() {
        let text = #"{"jsonrpc":"2.0","id":7,"result":{"text":""# + String(repeating: "x", count: 1 << 16)
        #expect(RPCFragment.read(ByteBuffer(string: text)).octets < 100)
    }

    @Test func `no more than a few members are looked at`() {
        let text = "{" + String(repeating: #""a":1,"#, count: 20) + #""id":1,"result":{"#
        #expect(RPCFragment.read(ByteBuffer(string: text)).fragment == nil)
    }
}
