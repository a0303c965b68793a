/// What the audit keeps, and for how long.
package struct AuditPolicy: Sendable, Hashable, Codable {
    package enum Requests: String, Sendable, Hashable, Codable, CaseIterable {
        /// Those made with a token.
        case tokens
        case all
    }

    package var requests = Requests.tokens
    package var days = 30

    package init() {}
}
