import BridgeAccess
import BridgeCore

/// Whoever has shown a good token: what the token lets through, put together once for all requests with the same head.
final class TokenHolder: Sendable {
    let id: TokenID
    /// By which the session worker knows them: no user and no connection is called so.
    let principal: String
    let grants: Grants
    /// What of MCP they see, where that is not all; see ``TokenScope``.
    let scope: String?
    let limits: TokenLimits
    /// Whether each of their requests is in the log, too.
    let isAudited: Bool
    /// Which models they may ask for.
    let models: ModelPatterns
    /// What they ask of models is answered by an echo.
    let isSandboxed: Bool
    /// The second from which the secret that was shown is good no longer; seconds since 1970.
    let until: Int?

    init(_ token: Token, until: Int?) {
        self.id = token.id
        self.principal = token.id.principal
        var grants: Grants = []
        if token.scope.mayUseMCP { grants.insert(.mcp) }
        if token.scope.mayChat { grants.insert(.chat) }
        if token.scope.mayBeSource { grants.insert(.source) }
        if token.scope.mayAdminister { grants.insert(.admin) }
        self.grants = grants
        self.scope = token.scope.isAllOfMCP ? nil : token.scope.text
        self.limits = token.limits
        self.isAudited = token.isAudited
        self.models = token.models
        self.isSandboxed = token.isSandboxed
        self.until = until
    }

    /// Whether the secret is good at a second. That the token has been revoked is another epoch.
    func isGood(at second: Int) -> Bool { self.until.map { second < $0 } ?? true }

    /// How many of their calls may be under way at once.
    var concurrency: Int? { self.limits.concurrency }

    /// How many requests they may make in a day.
    var budget: Int? { self.limits.budget.flatMap { $0.unit == .requests ? $0.amount : nil } }

    /// How many tokens of models they may use in a day.
    var tokenBudget: Int? { self.limits.budget.flatMap { $0.unit == .tokens ? $0.amount : nil } }

    /// Whether what they ask is counted.
    var isLimited: Bool { self.limits.rate != nil || self.budget != nil }
}

extension TokenHolder: Equatable {
    static func == (left: TokenHolder, right: TokenHolder) -> Bool {
        left.id == right.id && left.until == right.until && left.scope == right.scope && left.limits == right.limits
            && left.grants == right.grants && left.isAudited == right.isAudited
            && left.models == right.models && left.isSandboxed == right.isSandboxed
    }
}
