/// What an administrator asks about tokens and the audit. It travels to whoever has the store.
package enum AccessCommand: Sendable, Codable, Equatable {
    case create(TokenWish)
    case list
    case show(String)
    case revoke(String)
    /// - `keepOld`: for how many seconds the secret that there was stays good.
    case rotate(String, keepOld: Int)
    /// - `since`: seconds since 1970.
    case usage(since: Int, token: String?)
    case audit(AuditWish)

    /// Whether a secret comes of it, and so the key that secrets are hashed with is needed.
    package var makesSecret: Bool {
        switch self {
        case .create, .rotate: true
        case .list, .show, .revoke, .usage, .audit: false
        }
    }

    /// Whether it is decided by tokens that must be the same when it is done. A token may be ended whatever has become of it.
    package var isDecidedInTurn: Bool { self.makesSecret }
}

/// A token that somebody wants, in the words of the command.
package struct TokenWish: Sendable, Codable, Equatable {
    package var name: String
    package var scope: String
    package var models: String?
    /// In how many seconds it expires; `nil`: never.
    package var expiresIn: Int?
    package var rate: String?
    package var concurrency: String?
    package var budget: String?
    package var isSandboxed = false
    package var isAudited = false

    package init(name: String, scope: String) {
        self.name = name
        self.scope = scope
    }

    /// - Throws: what is wrong with it.
    func token(_ id: TokenID, hash: TokenHash, now: Int) throws(AccessProblem) -> Token {
        if let complaint = Token.complaint(aboutName: self.name) { throw AccessProblem("Cannot be used: \(complaint)") }
        var limits = TokenLimits()
        if let rate { limits.rate = try TokenRate(rate) }
        if let concurrency { limits.concurrency = try TokenLimits.concurrency(concurrency) }
        if let budget { limits.budget = try TokenBudget(budget) }
        if let expiresIn, !(1...Self.longest).contains(expiresIn) {
            throw AccessProblem("A token expires in a second at least, and in ten years at most.")
        }
        return Token(
            id: id, name: self.name, scope: try TokenScope(self.scope),
            models: try self.models.map { (text) throws(AccessProblem) in try ModelPatterns(text) } ?? .all,
            limits: limits, created: now, expires: self.expiresIn.map { now + $0 }, isSandboxed: self.isSandboxed,
            isAudited: self.isAudited, hash: hash)
    }

    /// Ten years, in seconds.
    private static let longest = 3_650 * 86_400
}

/// Audit rows that somebody wants to see. Times are milliseconds since 1970.
package struct AuditWish: Sendable, Codable, Equatable {
    /// An id or a name.
    package var token: String?
    package var since: Int?
    package var subject: String?
    package var outcome: String?
    package var after: Int?
    package var limit: Int

    package init(limit: Int) { self.limit = limit }
}
