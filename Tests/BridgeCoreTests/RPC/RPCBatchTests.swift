import BridgeCore
import NIOCore
import Testing

@Suite("Batches") struct RPCBatchTests {
    private static func batch(_ elements: some Sequence<String>) -> JSONText {
        JSONText(trusting: ByteBuffer(string: "[" + elements.joined(separator: ",") + "]"))
    }
    private static let note = #"{"jsonrpc":"2.0","method":"n"}"#

    @Test func `hold 1 to 100 messages`() throws {
        #expect(try RPCBatch.messages(of: Self.batch([]))?.count == nil)
        #expect(try RPCBatch.messages(of: Self.batch([Self.note]))?.count == 1)
        #expect(try RPCBatch.messages(of: Self.batch(Array(repeating: Self.note, count: 100)))?.count == 100)
        #expect(try RPCBatch.messages(of: Self.batch(Array(repeating: Self.note, count: 101)))?.count == nil)
    }

    @Test func `are not read any further than to the first message too many`() throws {
        let elements = Array(repeating: Self.note, count: 101) + ["7"]
        #expect(try RPCBatch.messages(of: Self.batch(elements))?.count == nil, "and so the bad one is not seen")
        #expect(throws: RPCError.notAnObject) { try RPCBatch.messages(of: Self.batch([Self.note, "7"])) }
    }
}
