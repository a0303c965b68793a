/// What the audit keeps, and for how long.
package struct AuditPolicy: Sendable, Hashable, Codable {
    package enum Requests: String, Sendable, Hashable, Codable, CaseIterable {
        /// Those made with a token.
        case tokens
        case all
    }

    /// What records of the log have of what was said to a model, and by it. Rows of the audit never have any of it.
    package enum Content: String, Sendable, Hashable, Codable, CaseIterable {
        case full
        /// Sizes, and a digest by which a text that somebody has can be recognised.
        case digest
        case none
    }

    package var requests = Requests.tokens
    package var days = 30
    package var content = Content.digest

    package init() {}
}
