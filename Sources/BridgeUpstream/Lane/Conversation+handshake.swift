import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// How a conversation begins.
extension Conversation {
    /// Begins with `initialize`.
    ///
    /// - Parameter number: a random one. Ids begin behind it, so that nothing that a server prints can guess them.
    func begin(idsBehind number: Int) {
        self.desk.begin(idsBehind: number)
        if self.desk.count > 0 { self.busy(true, now: .now()) }
        // Its time is that of the whole attempt.
        self.ask(.initialize, "initialize", Handshake.parameters(self.configuration), within: .longest)
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
        self.delegate?.conversation(self, connectedTo: identity)
        self.say(ClientMessage.notification(method: "notifications/initialized"))
        self.sendLogLevel()
        let now = NIODeadline.now()
        self.upkeep.connected(lists: self.lists.offerings.filter(identity.lists), now: now)
        for offering in self.lists.offerings where !identity.lists(offering) { self.publish(Listing(of: offering)) }
        self.tick(now)
        self.delegate?.conversationDeadlinesChanged(self)
    }
}
