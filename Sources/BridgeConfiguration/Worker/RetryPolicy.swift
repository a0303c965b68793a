/// Whether a call that may already have reached the upstream is ever sent again.
package enum RetryPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    /// Never: the caller is told that the outcome is unknown.
    case none
    /// Where the tool's annotations say `readOnlyHint` or `idempotentHint`. The operator vouches for the hints by
    /// asking for it.
    case annotated
}
