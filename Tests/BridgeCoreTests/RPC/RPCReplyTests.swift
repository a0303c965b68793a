import NIOCore
import Testing

@testable import BridgeCore

@Suite("RPC replies") struct RPCReplyTests {
    @Test func `an error carries the id as it came`() throws {
        let reply = RPCReply.error(id: ByteBuffer(string: #""\u0061""#), code: -32601, message: "No \"such\" method\n")
        #expect(
            String(buffer: reply)
                == #"{"jsonrpc":"2.0","id":"\u0061","error":{"code":-32601,"message":"No \"such\" method\n"}}"#)
        #expect(try RPCMessage(JSONText(validating: reply)).shape == .error)
    }

    @Test func `an error has no id where none is given, and data is raw JSON`() throws {
        let reply = RPCReply.error(
            id: nil, code: -32700, message: "m", data: JSONText(literal: #"{"code":"parse_error"}"#))
        #expect(
            String(buffer: reply)
                == #"{"jsonrpc":"2.0","error":{"code":-32700,"message":"m","data":{"code":"parse_error"}}}"#)
        #expect(try RPCMessage(JSONText(validating: reply)).id == nil)
    }

    @Test func `a result is put in as it is`() throws {
        let reply = RPCReply.result(id: ByteBuffer(string: "7"), JSONText(literal: #"{"z":1.0}"#))
        #expect(String(buffer: reply) == #"{"jsonrpc":"2.0","id":7,"result":{"z":1.0}}"#)
        #expect(RPCReply.result(id: ByteBuffer(string: "7"), ByteBuffer(string: #"{"z":1.0}"#)) == reply)
        #expect(try RPCMessage(JSONText(validating: reply)).shape == .result)
    }
}
