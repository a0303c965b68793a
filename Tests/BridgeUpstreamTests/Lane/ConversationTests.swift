import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore
import Testing

@testable import BridgeUpstream

/// One conversation whose server is played by the test, with the times that the test says.
@Suite("Conversation") struct ConversationTests {
    private final class Listener: ConversationDelegate {
        var failures: [String] = []

        func conversation(_ conversation: Conversation, refusedWith error: JSONText) -> Proposals.Answer { .giveUp }
        func conversation(_ conversation: Conversation, connectedTo identity: UpstreamIdentity) {}
        func conversation(_ conversation: Conversation, listed listing: Listing) -> Bool { true }
        func conversation(_ conversation: Conversation, remarked remark: String?, about offering: Offering) {}
        func conversation(_ conversation: Conversation, couldNotList offering: Offering, _ reason: String) {}
        func conversationReady(_ conversation: Conversation) {}
        func conversationFailed(_ conversation: Conversation, _ reason: String) { self.failures.append(reason) }
        func conversationUnused(_ conversation: Conversation) {}
        func conversationHasMessages(_ conversation: Conversation) {}
        func conversationDeadlinesChanged(_ conversation: Conversation) {}
        func conversation(_ conversation: Conversation, gaveUp request: Int) {}
    }

    private static func make(_ listener: Listener) -> (Conversation, FakeConnection, sent: () -> [String]) {
        let configuration = UpstreamConfiguration(
            name: "x", transport: .stdio(StdioLaunch(command: "true")), version: "1")
        let logger = Logger(label: "conversation") { _ in SwiftLogNoOpLogHandler() }
        let desk = CallDesk(configuration, faults: CallFaults(upstream: "x"), logger: logger)
        let conversation = Conversation(
            configuration, offerings: [], desk: desk, news: nil, logLevel: nil, logger: logger)
        conversation.delegate = listener
        let connection = FakeConnection()
        var sent: [String] = []
        connection.onSend = { sent.append($0) }
        conversation.begin(proposing: .newest, idsBehind: 1)
        conversation.received(
            Self.json(
                #"{"jsonrpc":"2.0","id":2,"result":{"protocolVersion":"2025-11-25","capabilities":{"logging":{}}}}"#))
        return (
            conversation, connection,
            {
                conversation.send(on: connection)
                defer { sent = [] }
                return sent
            }
        )
    }

    private static func json(_ text: String) -> JSONText { JSONText(trusting: ByteBuffer(string: text)) }

    @Test func `silence of a server that is not read says nothing`() throws {
        let listener = Listener()
        let (conversation, _, sent) = Self.make(listener)
        let start = NIODeadline.now()
        conversation.isReading = false
        conversation.set(logLevel: Self.json("\"error\""))
        for second in stride(from: Int64(10), through: 3_000, by: 10) {
            conversation.tick(start + .seconds(second))
            if let next = conversation.nextDeadline { #expect(next > start + .seconds(second), "it is not due again") }
        }
        #expect(listener.failures.isEmpty)
        #expect(!sent().contains { $0.contains("notifications/cancelled") })
        conversation.isReading = true
        for second in stride(from: Int64(3_010), through: 4_000, by: 10) {
            conversation.tick(start + .seconds(second))
        }
        #expect(listener.failures.first?.contains("did not answer a ping") == true)
    }

    @Test func `a server that is busy is told the newest of all log levels that were wanted meanwhile`() throws {
        let listener = Listener()
        let (conversation, _, sent) = Self.make(listener)
        _ = sent()
        for number in 0..<1_000 {
            conversation.set(logLevel: Self.json(number.isMultiple(of: 2) ? "\"debug\"" : "\"error\""))
        }
        let first = sent()
        #expect(first.count == 1 && first[0].contains("\"debug\""))
        let id = try #require(Self.json(first[0]).int("id"))
        conversation.received(Self.json(#"{"jsonrpc":"2.0","id":\#(id),"result":{}}"#))
        let second = sent()
        #expect(second.count == 1 && second[0].contains("\"error\""))
        let secondID = try #require(Self.json(second[0]).int("id"))
        conversation.received(
            Self.json(#"{"jsonrpc":"2.0","id":\#(secondID),"error":{"code":-32603,"message":"not now"}}"#))
        #expect(sent().isEmpty, "what was told last is not told again")
        conversation.set(logLevel: Self.json("\"debug\""))
        #expect(sent().count == 1)
        #expect(listener.failures.isEmpty)
    }
}
