/// Who needs a bearer token.
package enum TokenRule: String, Sendable, Hashable, Codable, CaseIterable {
    /// Whoever is not certainly of this machine.
    case remote
    /// Everybody.
    case always
}
