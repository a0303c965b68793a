import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Odd messages") struct OddMessageTests {
    private static func read(_ text: String) throws -> OddMessage {
        OddMessage(try JSONText(validating: ByteBuffer(string: text)))
    }

    @Test(
        arguments: [
            ("7", 7), ("-7", -7), (#""7""#, 7), ("7.0", 7), ("7e0", 7), ("0.7e1", 7), ("70e-1", 7), (#""7.0""#, 7),
            (#""\u0037""#, 7), ("1.073741824e+09", 1_073_741_824), (#""1.073741824e+09""#, 1_073_741_824),
            ("7.5", nil), (#""""#, nil), (#""seven""#, nil), (#"" 7""#, nil), (#""0x7""#, nil), ("1e400", nil),
            (#""nan""#, nil), ("null", nil), ("true", nil), ("[7]", nil),
            ("12345678901234567890123456789012345678901234567890", nil),
        ] as [(String, Int?)])
    func `a number of ours is known again in every spelling`(text: String, expected: Int?) throws {
        let number = try JSONText(validating: ByteBuffer(string: text)).ownNumber
        #expect(number == expected)
    }

    @Test(
        arguments: [
            (#"{"id":1,"error":"boom"}"#, #"{"code":-32603,"message":"boom","data":"boom"}"#),
            (
                #"{"id":1,"error":{"code":"ENOENT","message":"no such file: /x"}}"#,
                #"{"code":-32603,"message":"no such file: /x","data":{"code":"ENOENT","message":"no such file: /x"}}"#
            ),
            (
                #"{"id":1,"error":{"code":-32000.0,"message":"m"}}"#,
                #"{"code":-32603,"message":"m","data":{"code":-32000.0,"message":"m"}}"#
            ),
            (#"{"id":1,"error":{"code":5}}"#, #"{"code":-32603,"message":"{\"code\":5}","data":{"code":5}}"#),
            (
                #"{"id":1,"error":{"code":5,"message":7,"detail":"why"}}"#,
                #"{"code":-32603,"message":"why","data":{"code":5,"message":7,"detail":"why"}}"#
            ),
            (#"{"id":1,"error":["a",1]}"#, #"{"code":-32603,"message":"[\"a\",1]","data":["a",1]}"#),
            (#"{"id":1,"error":{}}"#, #"{"code":-32603,"message":"{}","data":{}}"#),
            (#"{"id":1,"error":true,"result":null}"#, #"{"code":-32603,"message":"true","data":true}"#),
            (
                #"{"id":"1","error":{"code":-1,"message":"kept","data":[1.0]}}"#,
                #"{"code":-1,"message":"kept","data":[1.0]}"#
            ),
        ])
    func `an error in a form of its own becomes one with the server's words`(text: String, expected: String) throws {
        let odd = try Self.read(text)
        #expect(odd.meaning == .answer)
        let message = try #require(odd.answer(to: 9))
        #expect(message.shape == .error)
        #expect(message.rpcID == RPCID(9))
        #expect(message.error.map { message.text[$0].description } == expected)
    }

    @Test(
        arguments: [
            (#"{"id":1.0,"result":{"a":1.0}}"#, #"{"a":1.0}"#), (#"{"result":{ },"error":null}"#, "{ }"),
            (#"{"jsonrpc":"1.0","id":1,"method":"echoed","result":[]}"#, "{}"), (#"{"result":[ ]}"#, "{}"),
        ])
    func `a result is taken for one whatever is missing around it`(text: String, expected: String) throws {
        let message = try #require(try Self.read(text).answer(to: 9))
        #expect(message.result.map { message.text[$0].description } == expected)
    }

    @Test(arguments: [#""done""#, "[1]", "5", "true"])
    func `a result that is no object is told as it is`(result: String) throws {
        let message = try #require(try Self.read(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#).answer(to: 9))
        let error = try #require(message.error)
        #expect(message.text[error].int("code") == -32603)
        #expect(message.text[error].value("data")?.description == result)
        #expect(message.text[error].string("message")?.contains(result.filter { $0 != "\"" }) == true)
    }

    @Test(arguments: [
        #"{"id":1,"result":{},"error":{"code":1,"message":"m"}}"#, #"{"id":1,"result":{},"result":{}}"#,
        #"{"id":1,"error":"a","error":"b"}"#, #"{"id":1,"id":1,"result":{}}"#,
        #"{"id":1,"error":{"code":1,"code":2,"message":"m"}}"#,
    ])
    func `what has two meanings has none`(text: String) throws {
        let odd = try Self.read(text)
        #expect(odd.meaning == .answer)
        #expect(odd.answer(to: 9) == nil)
    }

    @Test(
        arguments: [
            (#"{"id":1.0,"method":"ping"}"#, .request), (#"{"id":null,"method":"ping"}"#, .request),
            (#"{"id":1,"id":2,"method":"ping"}"#, .request), (#"{"method":"x","params":[]}"#, .notification),
            (#"{"id":1}"#, .nothing), ("{}", .nothing), (#"{"method":null,"id":1}"#, .nothing),
            (#"{"id":1,"method":"m","result":null}"#, .request),
        ] as [(String, OddMessage.Meaning)])
    func `what wants an answer is a request`(text: String, meaning: OddMessage.Meaning) throws {
        #expect(try Self.read(text).meaning == meaning)
    }

    @Test func `long words are cut, and what is very large is not repeated`() throws {
        let words = String(repeating: "wörd ", count: 100_000)
        let error = ServerError.error(from: JSONWriter.object { $0.member("message", words) })
        #expect((error.string("message")?.utf8.count ?? .max) < 5_000)
        #expect(error.value("data") == nil)
        #expect(try JSONText(validating: error.bytes) == error)
    }
}
