import BridgeCore
import HTTPTypes

/// Every refusal that the front makes by itself. The words are documented for users and do not change.
extension Refusal {
    static func badRequest(_ message: String) -> Refusal {
        Refusal(status: .badRequest, code: "bad_request", message: message, rpcCode: -32600)
    }

    static let hostNotAllowed = Refusal(
        status: .forbidden, code: "host_not_allowed",
        message: "This Host is not one of this service's names. Names are listed in bridge.hosts."
    )
    static let originNotAllowed = Refusal(
        status: .forbidden, code: "origin_not_allowed",
        message: "This Origin is not on the allowlist."
    )
    static let tokenRequired = Refusal(
        status: .unauthorized, code: "token_required",
        message: "Requests from a remote web origin or through a proxy need a bearer token.",
        rpcCode: -32001, header: HTTPField(name: .wwwAuthenticate, value: "Bearer realm=\"mcp-bridge\"")
    )
    static let notGranted = Refusal(
        status: .forbidden, code: "not_granted",
        message: "The configuration does not let this user do that (bridge.peers)."
    )
    static let adminRequired = Refusal(
        status: .forbidden, code: "admin_required",
        message: "Changing what the service runs takes an admin peer of the local socket, and no Origin."
    )

    static let notFound = Refusal(status: .notFound, code: "not_found", message: "There is nothing here.")

    static func methodNotAllowed(_ allow: String) -> Refusal {
        Refusal(
            status: .methodNotAllowed, code: "method_not_allowed", message: "Allowed here: \(allow).",
            header: HTTPField(name: .allow, value: allow)
        )
    }

    static func notAcceptable(_ types: String) -> Refusal {
        Refusal(
            status: .notAcceptable, code: "not_acceptable",
            message: "Not Acceptable: the client must accept \(types)."
        )
    }

    static let unsupportedMediaType = Refusal(
        status: .unsupportedMediaType, code: "unsupported_media_type",
        message: "Unsupported Media Type: the body must be application/json in UTF-8."
    )

    static let contentCodingUnknown = Refusal(
        status: .unsupportedMediaType, code: "unsupported_media_type",
        message: "Unsupported Media Type: the body must be sent as it is, without a Content-Encoding.",
        header: HTTPField(name: .acceptEncoding, value: "identity")
    )
    static let transferCodingUnknown = Refusal(
        status: .notImplemented, code: "unsupported_transfer_coding",
        message: "Of transfer codings, only chunked is understood.", closes: true
    )

    static func contentTooLarge(limit: Int) -> Refusal {
        Refusal(
            status: .contentTooLarge, code: "payload_too_large",
            message: "The body is longer than the \(limit) bytes that are accepted.", closes: true
        )
    }

    static let headerTooLarge = Refusal(
        status: .requestHeaderFieldsTooLarge, code: "header_too_large",
        message: "The request line and headers are too long.", closes: true
    )
    static let malformedHTTP = Refusal(
        status: .badRequest, code: "bad_request", message: "This is not an HTTP/1.1 request.", closes: true
    )
    static let incompleteBody = Refusal(
        status: .badRequest, code: "bad_request", message: "The body ended too early.", closes: true
    )
    static let requestTimeout = Refusal(
        status: .requestTimeout, code: "request_timeout", message: "The request did not arrive in time.", closes: true
    )

    /// Never told: the connection is closed.
    static let slowReader = Refusal(
        status: .requestTimeout, code: "slow_reader", message: "The response was not read in time.", closes: true
    )

    static func parseError(_ error: JSONError) -> Refusal {
        Refusal(status: .badRequest, code: "parse_error", message: "Parse error: \(error)", rpcCode: -32700)
    }

    static func invalidRequest(_ message: String) -> Refusal {
        Refusal(status: .badRequest, code: "invalid_request", message: "Invalid Request: \(message)", rpcCode: -32600)
    }

    static let sessionRequired = Refusal(
        status: .badRequest, code: "session_required",
        message: "Bad Request: initialize request or MCP-Session-Id is required"
    )
    static let unknownSession = Refusal(
        status: .notFound, code: "unknown_session", message: "Unknown MCP session ID"
    )

    static let sessionUnavailable = Refusal(
        status: .serviceUnavailable, code: "session_unavailable",
        message: "The session worker is not available. The request has not run.",
        rpcCode: -32003, header: HTTPField(name: .retryAfter, value: "1")
    )
    static let draining = Refusal(
        status: .serviceUnavailable, code: "draining", message: "The service is stopping.",
        header: HTTPField(name: .retryAfter, value: "1"), closes: true
    )
    static let supervisorUnavailable = Refusal(
        status: .serviceUnavailable, code: "supervisor_unavailable",
        message: "The supervisor did not answer.", rpcCode: -32003, header: HTTPField(name: .retryAfter, value: "1")
    )
    static let overloaded = Refusal(
        status: .serviceUnavailable, code: "overloaded",
        message: "There are too many requests under way. This one has not run.",
        rpcCode: -32006, header: HTTPField(name: .retryAfter, value: "1")
    )
    /// Too much is held of bodies, of this caller or of all; its own is not read.
    static let overloadedBody = Self.outOfMemory("limits.heldBytes", closes: true)
    /// The session worker has no room for the body.
    static let overloadedWorker = Self.outOfMemory("limits.workerBytes")

    private static func outOfMemory(_ setting: String, closes: Bool = false) -> Refusal {
        Refusal(
            status: .serviceUnavailable, code: "overloaded",
            message: "The requests under way hold too much memory (\(setting)). This one has not run.",
            rpcCode: -32006, header: HTTPField(name: .retryAfter, value: "1"), closes: closes
        )
    }
    static let tooManyConnections = Refusal(
        status: .serviceUnavailable, code: "too_many_connections",
        message: "All connections are busy.", header: HTTPField(name: .retryAfter, value: "1"), closes: true
    )
    static let internalError = Refusal(
        status: .internalServerError, code: "internal", message: "Internal server error", rpcCode: -32603
    )
    /// The answer to a request that was handed on, when the worker that had it died. The status is 200, because it is a
    /// JSON-RPC answer like any other: a client's library must hand it to whoever called.
    static let outcomeUnknown = Refusal(
        status: .ok, code: "outcome_unknown",
        message: "The session worker stopped while it had this request. It may have run, and is not sent again.",
        rpcCode: -32004
    )
}
