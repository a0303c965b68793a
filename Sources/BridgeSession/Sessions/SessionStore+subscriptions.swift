import BridgeMCP

/// What sessions have subscribed to, beyond this life of the worker.
extension SessionStore {
    /// Keeps what a session has subscribed to. Without room it holds only as long as the session is in memory; no
    /// subscription is refused for that.
    func keep(_ topics: [ResourceTopic], of identity: SessionIdentity) {
        try? self.records.set(topics, of: identity.claims)
    }

    func keptTopics(of session: UInt64) -> [ResourceTopic] { self.records.topics(of: session) }
}
