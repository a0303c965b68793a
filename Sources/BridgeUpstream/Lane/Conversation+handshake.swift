import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// How a conversation begins.
extension Conversation {
    /// Begins with `initialize`.
    ///
    /// - Parameter number: a random one. Ids begin behind it, so that nothing that a server prints can guess them.
    func begin(proposing revision: ProtocolRevision, idsBehind number: Int) {
        self.desk.begin(idsBehind: number)
        if self.desk.count > 0 { self.busy(true, now: .now()) }
        self.propose(revision)
    }

    /// Begins anew over the same connection, with the calls that there are.
    func greetAgain(proposing revision: ProtocolRevision) {
        guard !self.isOver else { return }
        self.forget()
        self.propose(revision)
    }

    private func propose(_ revision: ProtocolRevision) {
        // Its time is that of the whole attempt.
        self.ask(
            .initialize, "initialize", Handshake.parameters(self.configuration, proposing: revision), within: .longest)
    }

    /// The server has answered `initialize` with an error.
    func refused(_ error: JSONText, _ reason: String) {
        guard self.identity == nil, let delegate = self.delegate else { return }
        switch delegate.conversation(self, refusedWith: error) {
        case .propose(let revision): self.propose(revision)
        case .giveUp: self.failed(.initialize, reason)
        }
    }

    func initialized(_ result: JSONText) {
        guard self.identity == nil else { return }
        let identity: UpstreamIdentity
        do {
            identity = try Handshake.read(result)
        } catch {
            self.delegate?.conversationFailed(self, error.reason)
            return
        }
        self.identity = identity
        self.desk.revision = identity.revision
        self.delegate?.conversation(self, connectedTo: identity)
        self.notify(ClientMessage.notification(method: "notifications/initialized"))
        self.sendLogLevel()
        let now = NIODeadline.now()
        let asked = self.lists.announced(identity.lists)
        self.upkeep.connected(lists: asked, now: now)
        for offering in self.lists.offerings where !asked.contains(offering) { self.hasNone(offering) }
        if self.lists.offerings.isEmpty { self.delegate?.conversationReady(self) }
        self.tick(now)
        self.delegate?.conversationDeadlinesChanged(self)
    }
}
