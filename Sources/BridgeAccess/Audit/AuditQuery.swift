/// Which audit rows somebody wants to see. What is `nil` is not looked at.
package struct AuditQuery: Sendable, Hashable {
    package var token: TokenID?
    /// Milliseconds since 1970.
    package var since: Int?
    /// Of the subject: a name with `*` and `?`.
    package var subject: String?
    package var outcome: String?
    /// Rows after this one, in the order in which they were written.
    package var after: Int?
    /// At most so many; without ``after`` the newest ones.
    package var limit: Int

    package init(
        token: TokenID? = nil, since: Int? = nil, subject: String? = nil, outcome: String? = nil, after: Int? = nil,
        limit: Int = 1_000
    ) {
        self.token = token
        self.since = since
        self.subject = subject
        self.outcome = outcome
        self.after = after
        self.limit = limit
    }
}

/// Rows, and from where to go on.
package struct AuditPage: Sendable, Hashable {
    package var rows: [AuditRow]
    /// Of the last row that was looked at: what ``AuditQuery/after`` goes on from.
    package var last: Int

    package init(rows: [AuditRow], last: Int) {
        self.rows = rows
        self.last = last
    }
}

/// What one token has used in a time.
package struct TokenUsage: Sendable, Hashable {
    package var token: TokenID
    package var requests: Int
    /// Those that did not end well.
    package var failures: Int
    package var requestBytes: Int
    package var responseBytes: Int
    package var microseconds: Int
    /// Of the newest request: milliseconds since 1970.
    package var last: Int

    package init(
        token: TokenID, requests: Int, failures: Int, requestBytes: Int, responseBytes: Int, microseconds: Int,
        last: Int
    ) {
        self.token = token
        self.requests = requests
        self.failures = failures
        self.requestBytes = requestBytes
        self.responseBytes = responseBytes
        self.microseconds = microseconds
        self.last = last
    }
}
