import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

extension ConnectionKeeper: ConversationDelegate {
    func conversation(_ conversation: Conversation, refusedWith error: JSONText) -> Proposals.Answer {
        let answer = self.proposals.refused(error)
        if case .propose(let revision) = answer {
            let said = ByteBuffer(string: error.string("message") ?? "")
            let words = conversation.complaints.printable(said, limit: 256)
            self.logger.info(
                "upstream refused a protocol version; another is proposed",
                metadata: ["error": "\(words)", "mcp.version": "\(revision.name)"])
        }
        return answer
    }

    func conversation(_ conversation: Conversation, connectedTo identity: UpstreamIdentity) {
        self.attemptDeadline = nil
        // Greeted again, it is what it was.
        guard self.lifecycle.initialized() || self.lifecycle.isConnected else { return }
        self.patience.connected()
        self.proposals.accepted(now: .now())
        self.record.connected()
        var identity = identity
        identity.proposed = self.proposals.known
        identity.transport = self.connection?.foundTransport
        self.news?.connected(to: identity)
        self.delegate?.keeperChanged(self)
    }

    func conversation(_ conversation: Conversation, listed listing: Listing) -> Bool {
        let (listing, isNew, newNotes) = self.record.take(listing)
        for note in newNotes {
            self.logger.warning(
                "upstream list is used as far as it goes",
                metadata: ["reason": "\(self.connection?.masked(note) ?? note)"])
        }
        self.news?.listed(listing)
        self.delegate?.keeperChanged(self)
        return isNew
    }

    func conversation(_ conversation: Conversation, couldNotList offering: Offering, _ reason: String) {
        self.record.failed(offering, reason)
        self.delegate?.keeperChanged(self)
    }

    func conversation(_ conversation: Conversation, remarked remark: String?, about offering: Offering) {
        self.record.remarks[offering] = remark
        self.delegate?.keeperChanged(self)
    }

    func conversationReady(_ conversation: Conversation) {
        self.lifecycle.listed(now: .now())
        self.logger.info("upstream connected", metadata: ["toolCount": "\(self.record.count(of: .tools))"])
        self.delegate?.keeperChanged(self)
    }

    func conversation(_ conversation: Conversation, gaveUp request: Int) { self.connection?.giveUp(request) }
    func conversationHasMessages(_ conversation: Conversation) { self.sendSoon() }
    func conversationDeadlinesChanged(_ conversation: Conversation) { self.delegate?.keeperDeadlinesChanged(self) }
    func conversationFailed(_ conversation: Conversation, _ reason: String) { self.lost(reason) }

    func conversationUnused(_ conversation: Conversation) {
        self.logger.info("upstream unused; ending it")
        self.perform(self.lifecycle.unused())
    }
}

// What only some connections have to say.
extension ConnectionKeeper {
    func connectionNeedsSignIn(_ connection: any Connection, reason: String) {
        if connection === self.connection { self.lost(reason, needsSignIn: true) }
    }

    func connectionLostSession(_ connection: any Connection, refusesRevision: Bool) {
        guard connection === self.connection, let conversation else { return }
        if refusesRevision { self.proposals.regretted(now: .now()) }
        self.attemptDeadline = .now() + self.patience.limit(self.configuration.timeouts).timeAmount
        conversation.greetAgain(proposing: self.proposals.begin(now: .now()))
        self.delegate?.keeperChanged(self)
    }
}
