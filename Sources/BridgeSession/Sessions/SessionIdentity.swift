import BridgeMCP

/// What a good session id says, read once for many requests. Confined to the event loop.
final class SessionIdentity {
    let claims: SessionClaims
    /// For logs: the session's id itself never leaves the worker but to its client.
    let digest: String
    /// What its principal sees of MCP, as the front said last; nil for all of it.
    var view: ScopedView?
    /// How many calls its principal may have under way, as the front said last.
    var concurrency: Int?
    /// Whether its principal may answer requests for models, as the front said last.
    var mayLend = false
    /// Whether it does by the word of the command that carries it, as the front said last.
    var lends = false
    /// Whether its principal may sign in for the service, as the front said last.
    var isOwner = false
    /// The round of ``SessionUse`` in which its use was last noticed.
    var noticed = -1

    init(_ claims: SessionClaims, id: String) {
        self.claims = claims
        self.digest = SessionSeal.digest(of: id)
    }
}
