import NIOCore
import Testing

@testable import BridgeCore

@Suite("RPC messages") struct RPCMessageTests {
    private func read(_ text: String) throws -> RPCMessage {
        try RPCMessage(try JSONText(validating: ByteBuffer(string: text)))
    }

    private func text(_ span: JSONSpan?, in message: RPCMessage) -> String? {
        span.map { message.text[$0].description }
    }

    @Test func `a request`() throws {
        let message = try self.read(
            #"{"jsonrpc":"2.0","id":7,"method":"tools/call","#
                + #""params":{"name":"a.b","arguments":{"x":[1]},"_meta":{"k":0,"progressToken":"t"}}}"#
        )
        #expect(message.shape == .request)
        #expect(message.method == "tools/call")
        #expect(self.text(message.methodSpan, in: message) == "\"tools/call\"")
        #expect(self.text(message.id, in: message) == "7")
        #expect(message.idBytes == ByteBuffer(string: "7"))
        #expect(message.rpcID == RPCID(7))
        #expect(self.text(message.name, in: message) == "\"a.b\"")
        #expect(self.text(message.progressToken, in: message) == "\"t\"")
        #expect(message.param("name") == message.name)
        #expect(self.text(message.param("arguments"), in: message) == #"{"x":[1]}"#)
        #expect(message.param("requestId") == nil)
        #expect(message.result == nil)
        #expect(message.error == nil)
    }

    @Test func `members may come in any order, with space and escapes, among others that we do not know`() throws {
        let message = try self.read(
            #"""
            { "extra" : [ {"id":1} ] ,
              "params" : { "arguments":{}, "n\u0061me" : "t" , "other":0 } ,
              "m\u0065thod":"x\u002fy", "id":"i", "jsonrpc" :"2.0" }
            """#
        )
        #expect(message.shape == .request)
        #expect(message.method == "x/y")
        #expect(self.text(message.id, in: message) == "\"i\"")
        #expect(self.text(message.name, in: message) == "\"t\"")
        #expect(self.text(message.param("other"), in: message) == "0")
    }

    @Test func `a notification`() throws {
        let message = try self.read(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":5,"progress":0.5}}"#)
        #expect(message.shape == .notification)
        #expect(message.id == nil)
        #expect(message.rpcID == nil)
        #expect(self.text(message.param("progressToken"), in: message) == "5")
        #expect(message.progressToken == nil, "that one is of a request's _meta")
        let bare = try self.read(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        #expect(bare.params == nil)
        #expect(bare.param("name") == nil)
    }

    @Test(arguments: [#"{"content":[]}"#, "{}"])
    func `a result, whatever is in it`(result: String) throws {
        let message = try self.read(#"{"result":\#(result),"id":"x","jsonrpc":"2.0"}"#)
        #expect(message.shape == .result)
        #expect(message.method == nil)
        #expect(self.text(message.result, in: message) == result)
    }

    @Test(arguments: [(#""id":1,"#, "1"), (#""id":null,"#, nil), ("", nil)])
    func `an error may be about a request that could not be told`(id: String, expected: String?) throws {
        let message = try self.read(#"{"jsonrpc":"2.0",\#(id)"error":{"code":-32700,"message":"m"}}"#)
        #expect(message.shape == .error)
        #expect(self.text(message.id, in: message) == expected)
        #expect(message.error != nil)
    }

    @Test(
        arguments: [
            ("[]", .notAnObject), ("1", .notAnObject), ("null", .notAnObject),
            (#"[{"jsonrpc":"2.0","method":"m"}]"#, .notAnObject),
            (#"{"method":"m"}"#, .badVersion), (#"{"jsonrpc":2.0,"method":"m"}"#, .badVersion),
            (#"{"jsonrpc":"1.0","method":"m"}"#, .badVersion),
            (#"{"jsonrpc":"2.00","method":"m"}"#, .badVersion), (#"{"jsonrpc":null,"method":"m"}"#, .badVersion),
            ("{}", .badVersion),
            (#"{"jsonrpc":"2.0","method":"m","id":null}"#, .badID),
            (#"{"jsonrpc":"2.0","method":"m","id":1.0}"#, .badID),
            (#"{"jsonrpc":"2.0","method":"m","id":1e3}"#, .badID),
            (#"{"jsonrpc":"2.0","method":"m","id":true}"#, .badID),
            (#"{"jsonrpc":"2.0","method":"m","id":[1]}"#, .badID), (#"{"jsonrpc":"2.0","method":"m","id":{}}"#, .badID),
            (#"{"jsonrpc":"2.0","result":{},"id":null}"#, .badID), (#"{"jsonrpc":"2.0","result":{}}"#, .badID),
            (#"{"jsonrpc":"2.0","result":{},"id":0.5}"#, .badID),
            (#"{"jsonrpc":"2.0","error":{},"id":false}"#, .badID),
            (#"{"jsonrpc":"2.0","id":1,"result":"x"}"#, .badResult),
            (#"{"jsonrpc":"2.0","id":null,"result":null}"#, .badID), (#"{"jsonrpc":"2.0","result":null}"#, .badID),
            (#"{"jsonrpc":"2.0","id":1,"result":[{}]}"#, .badResult),
            (#"{"jsonrpc":"2.0","id":1,"error":"boom"}"#, .badError),
            (#"{"jsonrpc":"2.0","id":1,"error":{}}"#, .badError),
            (#"{"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"m"}}"#, .badError),
            (#"{"jsonrpc":"2.0","id":1,"error":{"code":1.5,"message":"m"}}"#, .badError),
            (#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":7}}"#, .badError),
            (#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"code":1,"message":"m"}}"#, .duplicateMember),
            (#"{"jsonrpc":"2.0","method":1}"#, .badMethod), (#"{"jsonrpc":"2.0","method":null,"id":1}"#, .shapeless),
            (#"{"jsonrpc":"2.0","method":"m","params":[]}"#, .badParams),
            (#"{"jsonrpc":"2.0","method":"m","params":null,"params":{}}"#, .duplicateMember),
            (#"{"jsonrpc":"2.0","method":"m","params":null,"params":null}"#, .duplicateMember),
            (#"{"jsonrpc":"2.0","id":1,"error":null}"#, .shapeless),
            (#"{"jsonrpc":"2.0","id":1,"error":null,"method":null,"params":null}"#, .shapeless),
            (#"{"jsonrpc":"2.0","id":null,"method":"m","params":null}"#, .badID),
            (#"{"jsonrpc":"2.0","method":"m","params":"{}"}"#, .badParams),
            (#"{"jsonrpc":"2.0"}"#, .shapeless), (#"{"jsonrpc":"2.0","id":1}"#, .shapeless),
            (#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#, .shapeless),
            (#"{"jsonrpc":"2.0","id":1,"method":"m","result":{}}"#, .shapeless),
            (#"{"jsonrpc":"2.0","id":1,"method":"m","error":{}}"#, .shapeless),
        ] as [(String, RPCError)])
    func `what breaks a rule is refused by that rule`(text: String, error: RPCError) {
        #expect(throws: error) { try self.read(text) }
    }

    @Test(arguments: ["1", "0", "-5", "-0", "123456789012345678901234567890", "\"\"", "\"x\"", "\"\\u0031\""])
    func `strings and plainly spelled integers of any size are ids`(id: String) throws {
        let message = try self.read(#"{"jsonrpc":"2.0","method":"m","id":\#(id)}"#)
        #expect(self.text(message.id, in: message) == id)
    }

    @Test(arguments: ["jsonrpc", "id", "method", "params", "result", "error"])
    func `a second one of a member that we act on is refused`(name: String) {
        let values = [
            "jsonrpc": "\"2.0\"", "id": "1", "method": "\"m\"", "params": "{}", "result": "{}", "error": "{}",
        ]
        let value = values[name] ?? ""
        let spelled = "\\u00" + String(name.utf8.first ?? 0, radix: 16) + name.dropFirst()
        for second in [name, spelled] {
            let text = #"{"jsonrpc":"2.0","id":1,"method":"m","\#(name)":\#(value),"x":0,"\#(second)":\#(value)}"#
            #expect(throws: RPCError.duplicateMember) { try self.read(text) }
        }
    }

    @Test(arguments: [
        "name", "arguments", "_meta", "requestId", "progressToken", "cursor", "level", "uri", "protocolVersion",
    ])
    func `a second one of a parameter that we act on is refused`(name: String) throws {
        let spelled = "\\u00" + String(name.utf8.first ?? 0, radix: 16) + name.dropFirst()
        for second in [name, spelled] {
            #expect(throws: RPCError.duplicateMember) {
                try self.read(
                    #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"\#(name)":{},"y":[],"\#(second)":"v"}}"#)
            }
        }
        #expect(throws: Never.self) {
            try self.read(#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"\#(name)":{"\#(name)":1},"x":1,"x":2}}"#)
        }
    }

    @Test func `a second progress token is refused, and one elsewhere is not one`() throws {
        #expect(throws: RPCError.duplicateMember) {
            try self.read(
                #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"progressToken":1,"progress\u0054oken":2}}}"#)
        }
        let message = try self.read(
            #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"progressToken":1,"_meta":{"x":{"progressToken":2},"x":0}}}"#
        )
        #expect(message.progressToken == nil)
    }

    @Test(arguments: ["[]", "7", "\"progressToken\""])
    func `a _meta that is no object holds no token`(meta: String) throws {
        let message = try self.read(#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":\#(meta),"name":"n"}}"#)
        #expect(self.text(message.param("_meta"), in: message) == meta)
        #expect(message.progressToken == nil)
        #expect(self.text(message.name, in: message) == "\"n\"")
    }

    @Test(arguments: [
        (#"{"id":5,"method":3}"#, "5"), (#"{"id":"a"}"#, "\"a\""), (#"{"method":"m"}"#, nil),
        (#"{"id":1,"id":1}"#, nil),
        (#"{"id":1,"id":1,"id":1}"#, nil), (#"{"id":null}"#, nil), (#"{"id":1.5}"#, nil), ("[]", nil),
        (#"{"params":{"id":1}}"#, nil),
    ])
    func `the id of a refused message is told when there is exactly one`(text: String, expected: String?) throws {
        let json = try JSONText(validating: ByteBuffer(string: text))
        #expect(RPCMessage.recoverableID(of: json)?.description == expected)
    }
}
