/// A token, without its secret. Times are seconds since 1970.
package struct Token: Sendable, Hashable {
    package let id: TokenID
    /// The operator's, for people. Two tokens may have the same.
    package var name: String
    package var scope: TokenScope
    package var models: ModelPatterns
    package var limits: TokenLimits
    package let created: Int
    /// From this second on it is good no longer; `nil`: it lasts until it is revoked.
    package var expires: Int?
    /// What is done with it stays without consequences, where a route knows of that.
    package var isSandboxed: Bool
    /// Each of its requests is a record of the log too.
    package var isAudited: Bool
    package var revoked: Int?
    package var hash: TokenHash
    package var previous: Previous?

    /// The secret before the one that there is.
    package struct Previous: Sendable, Hashable {
        package let hash: TokenHash
        /// From this second on it is good no longer.
        package let until: Int

        package init(hash: TokenHash, until: Int) {
            self.hash = hash
            self.until = until
        }
    }

    package init(
        id: TokenID, name: String, scope: TokenScope, models: ModelPatterns = .all, limits: TokenLimits = .none,
        created: Int, expires: Int? = nil, isSandboxed: Bool = false, isAudited: Bool = false, revoked: Int? = nil,
        hash: TokenHash, previous: Previous? = nil
    ) {
        self.id = id
        self.name = name
        self.scope = scope
        self.models = models
        self.limits = limits
        self.created = created
        self.expires = expires
        self.isSandboxed = isSandboxed
        self.isAudited = isAudited
        self.revoked = revoked
        self.hash = hash
        self.previous = previous
    }

    package func mayUse(model: String) -> Bool { self.scope.mayChat && self.models.match(model) }

    package func isExpired(at now: Int) -> Bool { self.expires.map { now >= $0 } ?? false }

    /// Whether it lets anybody in.
    package func isGood(at now: Int) -> Bool { self.revoked == nil && !self.isExpired(at: now) }

    /// Puts a new secret in the place of the one that there is, which stays good for a while. Sessions live on: the id is the
    /// same. An older one ends now.
    package mutating func rotate(to hash: TokenHash, keepingOldUntil end: Int?) {
        self.previous = end.map { Previous(hash: self.hash, until: $0) }
        self.hash = hash
    }

    /// The rule for names: something to read, on one line.
    package static func complaint(aboutName name: String) -> String? {
        if name.isEmpty { return "a token's name must not be empty." }
        if name.count > 64 { return "a token's name has at most 64 characters." }
        let isPlain = name.unicodeScalars.allSatisfy {
            ![.control, .format, .lineSeparator, .paragraphSeparator].contains($0.properties.generalCategory)
        }
        return isPlain ? nil : "a token's name must not contain control characters."
    }
}
