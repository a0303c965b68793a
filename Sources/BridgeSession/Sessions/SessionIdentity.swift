import BridgeMCP

/// What a good session id says, read once for many requests. Confined to the event loop.
final class SessionIdentity {
    let claims: SessionClaims
    /// For logs: the session's id itself never leaves the worker but to its client.
    let digest: String
    /// The round of ``SessionUse`` in which its use was last noticed.
    var noticed = -1

    init(_ claims: SessionClaims, id: String) {
        self.claims = claims
        self.digest = SessionSeal.digest(of: id)
    }
}
