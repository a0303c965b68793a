/// Every fault that the bridge tells clients of.
package enum FaultTable {
    package static let all: [Fault] = FaultTable.calls + FaultTable.requests + FaultTable.door + FaultTable.service

    /// A fault by its word, as an answer of another process has it.
    package static func fault(_ word: String) -> Fault? { Self.byWord[word] }

    private static let byWord = Dictionary(
        Self.all.map { ($0.word, $0) }, uniquingKeysWith: { first, _ in first })

    /// What becomes of a call.
    private static let calls: [Fault] = [
        .upstreamUnavailable, .upstreamBusy, .outcomeUnknown, .timeout, .overloaded, .cancelled, .tooLarge,
        .unknownTool, .unknownPrompt, .unknownResource, .unknownTask,
    ]
    /// What is wrong with a message.
    private static let requests: [Fault] = [
        .invalidParams, .methodNotFound, .duplicateID, .invalidRequest, .batchNotAllowed, .parseError, .sessionRequired,
        .unknownSession, .unknownEvent, .unsupportedProtocolVersion,
    ]
    /// What is wrong with an HTTP request, or with who sends it.
    private static let door: [Fault] = [
        .notAcceptable, .unsupportedMediaType, .unsupportedTransferCoding, .methodNotAllowed, .notFound, .badRequest,
        .payloadTooLarge, .headerTooLarge, .requestTimeout, .slowReader, .tooManyConnections, .hostNotAllowed,
        .originNotAllowed, .tokenRequired, .invalidToken, .tokensUnreadable, .notGranted, .adminRequired, .rateLimited,
        .budgetSpent, .concurrencyLimited, .limitsUnwritable,
    ]
    /// What is wrong with the service.
    private static let service: [Fault] = [
        .bridgeUnavailable, .sessionUnavailable, .supervisorUnavailable, .draining, .internal, .notReady,
    ]
}

// What becomes of a call.
extension Fault {
    package static let upstreamUnavailable = Fault(
        "upstream_unavailable", -32003, 200,
        "Upstream '{upstream}' is not available ({reason}); the call did not run", .didNotRun)
    package static let upstreamBusy = Fault(
        "upstream_busy", -32007, 200,
        "Upstream '{upstream}' has asked another call's client something ({method}) and waits for the answer, for {age} "
            + "so far; this call waited for its turn for {limit} and did not run. With \"share\": \"session\" each session "
            + "has a child of its own; with \"asks\": false calls run side by side, and nobody is asked", .didNotRun)
    package static let outcomeUnknown = Fault(
        "outcome_unknown", -32004, 200, "{what}; the call may have run", .mayHaveRun)
    package static let timeout = Fault(
        "timeout", -32005, 200,
        "Upstream '{upstream}' did not answer {limit}; the call was cancelled and may have run", .mayHaveRun)
    package static let overloaded = Fault("overloaded", -32006, 503, "{what}; this one did not run", .didNotRun)
    package static let cancelled = Fault("cancelled", -32800, 200, "Request cancelled")
    package static let tooLarge = Fault(
        "too_large", -32603, 200,
        "Upstream '{upstream}' answered with more than 64 MiB, a fixed limit; the call has run", .hasRun)
    package static let unknownTool = Fault("unknown_tool", -32602, 200, "Unknown tool '{name}'.")
    package static let unknownPrompt = Fault("unknown_prompt", -32602, 200, "Unknown prompt '{name}'.")
    package static let unknownResource = Fault("unknown_resource", -32002, 200, "Resource not found: {name}")
    package static let unknownTask = Fault("unknown_task", -32602, 200, "{what}")
}

// What is wrong with a message.
extension Fault {
    package static let invalidParams = Fault("invalid_params", -32602, 400, "{what}")
    package static let methodNotFound = Fault("method_not_found", -32601, 200, "Method not found: {method}")
    package static let duplicateID = Fault(
        "duplicate_id", -32600, 200, "A request with this id is still in flight in this session")
    package static let invalidRequest = Fault("invalid_request", -32600, 400, "{what}", .didNotRun)
    package static let batchNotAllowed = Fault(
        "batch_not_allowed", -32600, 400, "This revision of the protocol has no JSON-RPC batches")
    package static let parseError = Fault("parse_error", -32700, 400, "Parse error: {what}")
    package static let sessionRequired = Fault(
        "session_required", -32000, 400, "Bad Request: initialize request or MCP-Session-Id is required")
    package static let unknownSession = Fault("unknown_session", -32000, 404, "Unknown MCP session ID")
    package static let unknownEvent = Fault(
        "unknown_event", -32000, 400, "Unknown event ID: its stream is no longer kept")
    package static let unsupportedProtocolVersion = Fault(
        "unsupported_protocol_version", -32000, 400,
        "Bad Request: Unsupported protocol version (supported versions: {versions})")
}

// What is wrong with an HTTP request, or with who sends it.
extension Fault {
    package static let notAcceptable = Fault(
        "not_acceptable", -32000, 406, "Not Acceptable: the client must accept {types}.")
    package static let unsupportedMediaType = Fault(
        "unsupported_media_type", -32000, 415, "Unsupported Media Type: the body must be {what}.")
    package static let unsupportedTransferCoding = Fault(
        "unsupported_transfer_coding", -32000, 501, "Of transfer codings, only chunked is understood.")
    package static let methodNotAllowed = Fault("method_not_allowed", -32000, 405, "Allowed here: {allow}.")
    package static let notFound = Fault("not_found", -32000, 404, "There is nothing here.")
    package static let badRequest = Fault("bad_request", -32600, 400, "{what}")
    package static let payloadTooLarge = Fault(
        "payload_too_large", -32000, 413,
        "The body is longer than the {limit} bytes that are accepted (limits.bodyBytes).")
    package static let headerTooLarge = Fault(
        "header_too_large", -32000, 431,
        "The request line and headers are longer than {limit} bytes (limits.headerBytes).")
    package static let requestTimeout = Fault(
        "request_timeout", -32000, 408, "The request did not arrive within {limit}.")
    /// Never told: the connection is closed. It stands in `/metrics`.
    package static let slowReader = Fault("slow_reader", -32000, 408, "The response was not read in time.")
    package static let tooManyConnections = Fault(
        "too_many_connections", -32000, 503, "All connections are busy: {limit}, as limits.connections says.")
    package static let hostNotAllowed = Fault(
        "host_not_allowed", -32000, 403,
        "This Host is not one of this service's names. Names are listed in bridge.hosts.")
    package static let originNotAllowed = Fault(
        "origin_not_allowed", -32000, 403, "This Origin is not on the allowlist.")
    package static let tokenRequired = Fault(
        "token_required", -32001, 401,
        "This needs a token, as 'Authorization: Bearer mcpb_…' (mcp-bridge token create makes one). Only a request of this "
            + "machine that comes through no proxy needs none, where bridge.requireToken is 'remote'.")
    /// The same words for each token that is not good.
    package static let invalidToken = Fault(
        "invalid_token", -32001, 401, "The token is not good: unknown, expired or revoked.")
    package static let tokensUnreadable = Fault(
        "tokens_unreadable", -32003, 503, "The tokens cannot be read, so nobody can be let in by one.", .didNotRun)
    package static let notGranted = Fault(
        "not_granted", -32000, 403, "{what}.")
    package static let adminRequired = Fault(
        "admin_required", -32000, 403,
        "Changing what the service runs takes a token with the scope 'admin', or an admin peer of the local socket and no "
            + "Origin.")
    package static let rateLimited = Fault(
        "rate_limited", -32006, 429, "{what}; this one did not run", .didNotRun)
    package static let budgetSpent = Fault(
        "budget_spent", -32006, 429, "The token's budget of {limit} a day is spent; this one did not run", .didNotRun)
    package static let concurrencyLimited = Fault(
        "concurrency_limited", -32006, 429,
        "The token may have {limit} calls under way at once, and has; this one did not run", .didNotRun)
    package static let limitsUnwritable = Fault(
        "limits_unwritable", -32003, 503, "What limits have left cannot be written down; this one did not run",
        .didNotRun)
}

// What is wrong with the service.
extension Fault {
    /// Told by `mcp-bridge stdio` alone.
    package static let bridgeUnavailable = Fault(
        "bridge_unavailable", -32003, 503, "No bridge answers on {place}; the request did not run. {advice}", .didNotRun
    )
    package static let sessionUnavailable = Fault(
        "session_unavailable", -32003, 503,
        "The session worker is not available. The request has not run.", .didNotRun)
    package static let supervisorUnavailable = Fault(
        "supervisor_unavailable", -32003, 503, "The supervisor did not answer.")
    package static let draining = Fault("draining", -32000, 503, "The service is stopping.")
    package static let `internal` = Fault("internal", -32603, 500, "{what}")
    /// In `/health/ready` only.
    package static let notReady = Fault("not_ready", -32000, 503, "Something is not well.")
}
