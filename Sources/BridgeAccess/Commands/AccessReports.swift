import BridgeCore

/// A token as it is shown: everything but what could let anybody in. Times are ISO 8601.
package struct TokenReport: Sendable, Codable, Equatable {
    package enum State: String, Sendable, Codable { case good, expired, revoked }

    package var id: String
    package var name: String
    package var state: State
    package var scope: String
    /// `nil`: all of them.
    package var models: String?
    package var created: String
    package var expires: String?
    package var revoked: String?
    package var rate: String?
    package var concurrency: Int?
    package var budget: String?
    package var sandbox: Bool
    package var audit: Bool
    /// Until when the secret before the last rotation is good.
    package var oldSecretUntil: String?

    package init(_ token: Token, now: Int) {
        let time = { (seconds: Int) in UTCTime(seconds: seconds).text() }
        self.id = token.id.text
        self.name = token.name
        self.state = token.revoked != nil ? .revoked : token.isExpired(at: now) ? .expired : .good
        self.scope = token.scope.text
        self.models = token.models.patterns.isEmpty ? nil : token.models.text
        self.created = time(token.created)
        self.expires = token.expires.map(time)
        self.revoked = token.revoked.map(time)
        self.rate = token.limits.rate?.description
        self.concurrency = token.limits.concurrency
        self.budget = token.limits.budget?.description
        self.sandbox = token.isSandboxed
        self.audit = token.isAudited
        self.oldSecretUntil = token.previous.flatMap { now < $0.until ? time($0.until) : nil }
    }
}

/// What a token has used.
package struct UsageReport: Sendable, Codable, Equatable {
    package var token: String
    package var name: String?
    package var requests: Int
    package var failures: Int
    package var requestBytes: Int
    package var responseBytes: Int
    package var milliseconds: Int
    package var last: String
    /// What is counted of today's budget.
    package var budgetTakenToday: Int?

    package init(_ usage: TokenUsage, name: String?, taken: Int?) {
        self.token = usage.token.text
        self.name = name
        self.requests = usage.requests
        self.failures = usage.failures
        self.requestBytes = usage.requestBytes
        self.responseBytes = usage.responseBytes
        self.milliseconds = usage.microseconds / 1_000
        self.last = AuditReport.time(usage.last)
        self.budgetTakenToday = taken
    }
}

/// An audit row as it is shown.
package struct AuditReport: Sendable, Codable, Equatable {
    package var time: String
    package var request: String
    package var token: String?
    package var principal: String
    package var method: String
    package var subject: String?
    package var outcome: String
    package var status: Int
    package var requestBytes: Int
    package var responseBytes: Int
    package var microseconds: Int
    package var user: String?
    package var clientSession: String?
    package var inputTokens: Int?
    package var outputTokens: Int?

    package init(_ row: AuditRow) {
        self.time = Self.time(row.time)
        self.request = row.requestID
        self.token = row.token?.text
        self.principal = row.principal
        self.method = row.method
        self.subject = row.subject
        self.outcome = row.outcome
        self.status = row.status
        self.requestBytes = row.requestBytes
        self.responseBytes = row.responseBytes
        self.microseconds = row.microseconds
        self.user = row.user
        self.clientSession = row.clientSession
        self.inputTokens = row.inputTokens
        self.outputTokens = row.outputTokens
    }

    static func time(_ milliseconds: Int) -> String {
        UTCTime(seconds: milliseconds / 1_000, nanoseconds: milliseconds % 1_000 * 1_000_000).description
    }
}
