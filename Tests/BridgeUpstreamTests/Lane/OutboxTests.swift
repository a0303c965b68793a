import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Outbox") struct OutboxTests {
    private let large = JSONText(trusting: ByteBuffer(string: "\"" + String(repeating: "x", count: 3 << 20) + "\""))

    @Test func `is full of the bridge's own words, and never of clients' answers`() {
        var outbox = Outbox()
        for _ in 0..<20 { outbox.add(answer: self.large) }
        #expect(!outbox.isFull)
        #expect(outbox.hasRoom(forAnswer: 1 << 20))
        outbox.add(answer: self.large)
        #expect(!outbox.hasRoom(forAnswer: 1 << 20), "they have a bound of their own")
        for _ in 0..<2 { outbox.add(self.large, request: nil) }
        #expect(outbox.isFull)
    }

    @Test func `what calls wait for leaves though no further call may`() {
        let connection = FakeConnection()
        connection.isWritable = false
        var sent = 0
        connection.onSend = { _ in sent += 1 }
        var outbox = Outbox()
        outbox.add(self.large, request: 1)
        outbox.send(on: connection)
        #expect(sent == 0, "a pipe takes all or nothing")
        connection.hasOwnRoom = true
        outbox.send(on: connection)
        #expect(sent == 1)
    }

    @Test func `an answer without room is answered for`() throws {
        let answer = try JSONText(validating: ByteBuffer(string: #"{"jsonrpc":"2.0","id":"s1","result":{}}"#))
        let refusal = try #require(QuestionReply.noRoom(for: answer))
        #expect(refusal.string("id") == "s1")
        #expect(refusal.value("error")?.int("code") == -32603)
        #expect(QuestionReply.noRoom(for: JSONText(trusting: ByteBuffer(string: "7"))) == nil)
    }
}
