import BridgeCore
import BridgeMCP
import NIOCore

/// Hears of one conversation, on the event loop.
protocol ConversationDelegate: AnyObject {
    /// The server has answered `initialize` with an error.
    ///
    /// - Returns: what to propose to it instead.
    func conversation(_ conversation: Conversation, refusedWith error: JSONText) -> Proposals.Answer

    /// The server has answered `initialize`: calls may be sent, behind what the conversation has to say.
    func conversation(_ conversation: Conversation, connectedTo identity: UpstreamIdentity)

    /// A list has been read to its end, be that a good or a bad one.
    ///
    /// - Returns: whether it is another than the one before.
    func conversation(_ conversation: Conversation, listed listing: Listing) -> Bool

    /// There is something to be said of how the server treats a list, or nothing any more.
    func conversation(_ conversation: Conversation, remarked remark: String?, about offering: Offering)

    func conversation(_ conversation: Conversation, couldNotList offering: Offering, _ reason: String)

    /// Every list has been read once, or is known not to come.
    func conversationReady(_ conversation: Conversation)

    /// Nobody waits any more for the answer to a request of the bridge's own.
    func conversation(_ conversation: Conversation, gaveUp request: Int)

    /// ``Conversation/send(on:)`` has something to send.
    func conversationHasMessages(_ conversation: Conversation)

    /// ``Conversation/nextDeadline`` may be earlier now.
    func conversationDeadlinesChanged(_ conversation: Conversation)

    /// The connection is of no use.
    func conversationFailed(_ conversation: Conversation, _ reason: String)

    /// Nobody has called for as long as the configuration allows.
    func conversationUnused(_ conversation: Conversation)
}
