import BridgeTesting
import NIOCore
import Testing

@testable import BridgeCore

@Suite("Null members of RPC messages") struct RPCNullsTests {
    private static func read(_ text: String) throws -> RPCMessage {
        try RPCMessage(try JSONText(validating: ByteBuffer(string: text)))
    }

    @Test(
        arguments: [
            (
                #"{"jsonrpc":"2.0","id":1,"method":"m","params":null}"#, .request,
                #"{"jsonrpc":"2.0","id":1,"method":"m"}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"m","result":null,"error":null}"#, .request,
                #"{"jsonrpc":"2.0","id":1,"method":"m"}"#
            ),
            (#"{"params":null,"method":"m","jsonrpc":"2.0"}"#, .notification, #"{"method":"m","jsonrpc":"2.0"}"#),
            (
                #"{"jsonrpc":"2.0","method":"m","params":{"_meta":null,"a":null}}"#, .notification,
                #"{"jsonrpc":"2.0","method":"m","params":{"a":null}}"#
            ),
            (
                #"{"jsonrpc":"2.0","method":"m","params": { "_meta" : null } }"#, .notification,
                #"{"jsonrpc":"2.0","method":"m","params":{}}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"result":{"a":null},"error":null}"#, .result,
                #"{"jsonrpc":"2.0","id":1,"result":{"a":null}}"#
            ),
            (#"{"jsonrpc":"2.0","id":1,"result":null}"#, .result, #"{"jsonrpc":"2.0","id":1,"result":{}}"#),
            (
                #"{"error":null,"result":null,"id":"x","jsonrpc":"2.0"}"#, .result,
                #"{"result":{},"id":"x","jsonrpc":"2.0"}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":null,"params":null,"result":{},"error":null,"x":null}"#, .result,
                #"{"jsonrpc":"2.0","id":1,"result":{},"x":null}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":7,"message":"m","data":null}}"#, .error,
                #"{"jsonrpc":"2.0","id":1,"error":{"code":7,"message":"m","data":null}}"#
            ),
            (
                #"{"jsonrpc":"2.0","id":null,"result":null,"error":{"code":7,"message":"m"}}"#, .error,
                #"{"jsonrpc":"2.0","id":null,"error":{"code":7,"message":"m"}}"#
            ),
        ] as [(String, RPCMessage.Shape, String)])
    func `what is null counts as absent, and the rest stays as it was`(
        text: String, shape: RPCMessage.Shape, expected: String
    ) throws {
        let message = try Self.read(text)
        #expect(message.shape == shape)
        #expect(message.text.description == expected)
        #expect(try Self.read(expected).text.bytes == message.text.bytes)
    }

    @Test func `a message without nulls is not copied`() throws {
        let text = JSONText(trusting: ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"a":null}}"#))
        #expect(try RPCMessage(text).text.bytes.storageAddress == text.bytes.storageAddress)
    }

    /// Any message with nulls in any places is the message without them.
    @Test func `nulls anywhere change nothing`() throws {
        var random = SeededRandom(seed: 8)
        let shapes: [[(String, String)]] = [
            [("jsonrpc", "\"2.0\""), ("id", "7"), ("method", "\"m\""), ("params", #"{"name":"n"}"#)],
            [("jsonrpc", "\"2.0\""), ("method", "\"m\"")],
            [("jsonrpc", "\"2.0\""), ("id", "\"7\""), ("result", #"{"content":null}"#)],
            [("jsonrpc", "\"2.0\""), ("id", "-7"), ("error", #"{"code":1,"message":"m"}"#)],
        ]
        for _ in 0..<500 {
            let members = shapes.randomElement(using: &random) ?? []
            let plain = try Self.read(Self.object(members))
            let nulls = ["method", "params", "result", "error"]
                .filter { name in !members.contains { $0.0 == name } && Bool.random(using: &random) }
                .map { ($0, "null") }
            let message = try Self.read(Self.object((members + nulls).shuffled(using: &random)))
            #expect(message.shape == plain.shape)
            #expect(message.rpcID == plain.rpcID)
            #expect(message.method == plain.method)
            #expect(message.result.map { message.text[$0] } == plain.result.map { plain.text[$0] })
            #expect(message.name.map { message.text[$0] } == plain.name.map { plain.text[$0] })
        }
    }

    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }
}

extension ByteBuffer {
    fileprivate var storageAddress: UnsafeRawPointer? { self.withUnsafeReadableBytes { $0.baseAddress } }
}
