import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Salvaged responses") struct SalvagedResponseTests {
    @Test(
        arguments: [
            (#"{"jsonrpc":"2.0","id":7,"result":{"content":[{"text":"\#u{0}cut o"#, 7),
            (#"{"result": {"a":[1,{"b":"},\""}]}, "id": 12, rubbish"#, 12),
            (#" {"id":3,"error":{"code":"#, 3),
            (#"{"id":3,"method":"ping","result":1}"#, nil),
            (#"{"id":3,"params":{}}"#, nil),
            (#"{"id":"3","result":{}}"#, nil),
            (#"{"id":5.7,"result":{}"#, nil), (#"{"id":5e3,"result":{}"#, nil), (#"{"id":5x,"result":{}"#, nil),
            (#"{"id":5.0,"result":{}"#, nil), (#"{"id":-5,"result":{}"#, nil), (#"{"id":5 6,"result":{}"#, nil),
            (#"{"result":{"x":tru},"id":57}"#, 57), (#"{"result":{"x":tru},"id":5"#, nil),
            (#"{"id" : 5 , "result":{}"#, 5),
            (#"{"a":{"id":3,"result":1}}"#, nil),
            (#"{"id":99999999999999999999999,"result":1}"#, nil),
            ("", nil), ("{", nil), (#"{"id"#, nil), (#"{"id":"#, nil), (#"{"id":1,"re"#, nil), (#"{"\"#, nil),
        ] as [(String, Int?)])
    func `the id is found where the bytes begin like a response, and only there`(text: String, id: Int?) {
        #expect(SalvagedResponse.id(in: ByteBuffer(string: text)) == id)
    }
}
