/// One finished request, as the audit keeps it: who, what, how much, and how it ended. Nothing of what was said.
package struct AuditRow: Sendable, Hashable {
    /// A UUID, the one of the logs.
    package var requestID: String
    /// When it came: milliseconds since 1970.
    package var time: Int
    package var token: TokenID?
    package var principal: String
    /// Of MCP, or the route of another request.
    package var method: String
    /// The tool, prompt or resource, or the model.
    package var subject: String?
    package var requestBytes: Int
    package var responseBytes: Int
    package var microseconds: Int
    /// `ok`, or the stable word of what went wrong.
    package var outcome: String
    /// Of HTTP.
    package var status: Int
    /// Digests of what a client of the model APIs calls its user, and its own session. They tell requests of one client
    /// apart; nobody is believed to be anybody for them.
    package var user: String?
    package var clientSession: String?
    /// Tokens that models have read and written for it, by estimate, further rounds included; nil where none has answered.
    package var inputTokens: Int?
    package var outputTokens: Int?

    package static let ok = "ok"

    package init(
        requestID: String, time: Int, token: TokenID?, principal: String, method: String, subject: String? = nil,
        requestBytes: Int = 0, responseBytes: Int = 0, microseconds: Int = 0, outcome: String = Self.ok, status: Int,
        user: String? = nil, clientSession: String? = nil, inputTokens: Int? = nil, outputTokens: Int? = nil
    ) {
        self.requestID = requestID
        self.time = time
        self.token = token
        self.principal = principal
        self.method = method
        self.subject = subject
        self.requestBytes = requestBytes
        self.responseBytes = responseBytes
        self.microseconds = microseconds
        self.outcome = outcome
        self.status = status
        self.user = user
        self.clientSession = clientSession
        self.inputTokens = inputTokens
        self.outputTokens = outputTokens
    }
}
