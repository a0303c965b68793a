import BridgeCore
import BridgeLink

/// Every refusal that the front makes by itself.
extension Refusal {
    static func badRequest(_ message: String) -> Refusal { Refusal(Fault.badRequest.told(["what": message])) }

    static let hostNotAllowed = Refusal(Fault.hostNotAllowed.told())
    static let originNotAllowed = Refusal(Fault.originNotAllowed.told())
    static let tokenRequired = Refusal(Fault.tokenRequired.told(), field: .challenge())
    /// Whatever is wrong with it: who guesses learns nothing.
    static let tokenNotGood = Refusal(
        Fault.invalidToken.told(),
        field: .challenge("error=\"invalid_token\", error_description=\"The token is not good.\""))
    static let tokensUnreadable = Refusal(Fault.tokensUnreadable.told(), field: .soon)
    static let limitsUnwritable = Refusal(Fault.limitsUnwritable.told(), field: .soon)
    static func outOfScope(_ scope: String) -> Refusal {
        Refusal(
            Fault.notGranted.told(["what": "The token's scope does not have this; it takes '\(scope)'"]),
            field: .challenge("error=\"insufficient_scope\", scope=\"\(scope)\""))
    }
    /// The token of a request that is under way is good no longer.
    static let tokenIsOver = Refusal(
        ToldFault(
            .outcomeUnknown,
            message: "The token was revoked or has expired while this request was under way. It may have run."))
    static let notGranted = Refusal(
        Fault.notGranted.told(["what": "The configuration does not let this user do that (bridge.peers)"]))
    static let adminRequired = Refusal(Fault.adminRequired.told())

    static let notFound = Refusal(Fault.notFound.told())

    static func methodNotAllowed(_ allow: String) -> Refusal {
        Refusal(Fault.methodNotAllowed.told(["allow": allow]), field: Field(name: "Allow", value: allow))
    }

    static func notAcceptable(_ types: String) -> Refusal { Refusal(Fault.notAcceptable.told(["types": types])) }

    static let unsupportedMediaType = Refusal(
        Fault.unsupportedMediaType.told(["what": "application/json in UTF-8"]))
    static let contentCodingUnknown = Refusal(
        Fault.unsupportedMediaType.told(["what": "sent as it is, without a Content-Encoding"]),
        field: Field(name: "Accept-Encoding", value: "identity")
    )
    static let transferCodingUnknown = Refusal(Fault.unsupportedTransferCoding.told(), closes: true)

    static func contentTooLarge(limit: Int) -> Refusal {
        Refusal(Fault.payloadTooLarge.told(["limit": "\(limit)"]), closes: true)
    }

    static func headerTooLarge(limit: Int) -> Refusal {
        Refusal(Fault.headerTooLarge.told(["limit": "\(limit)"]), closes: true)
    }
    static let malformedHTTP = Refusal(
        Fault.badRequest.told(["what": "This is not an HTTP/1.1 request."]), closes: true)
    static let incompleteBody = Refusal(Fault.badRequest.told(["what": "The body ended too early."]), closes: true)
    /// - Parameter limit: in words, with its setting.
    static func requestTimeout(limit: String) -> Refusal {
        Refusal(Fault.requestTimeout.told(["limit": limit]), closes: true)
    }
    /// Never told: the connection is closed.
    static let slowReader = Refusal(Fault.slowReader.told(), closes: true)

    static func parseError(_ error: JSONError) -> Refusal { Refusal(Fault.parseError.told(["what": "\(error)"])) }

    static func invalidRequest(_ message: String) -> Refusal {
        Refusal(Fault.invalidRequest.told(["what": "Invalid Request: \(message)"]))
    }

    static let sessionRequired = Refusal(Fault.sessionRequired.told())
    static let unknownSession = Refusal(Fault.unknownSession.told())

    static let sessionIDMissing = Refusal.badRequest("session_id is missing, or there twice.")
    /// So many requests of one session are under way that it has to wait for their answers.
    static let overloadedSession = Refusal(
        ToldFault(
            .overloaded,
            message:
                "Too many requests of this session are under way: \(StreamedSession.maximumUnderWay), a fixed limit. "
                + "This one has not run."), field: .soon
    )
    static let draining = Refusal(Fault.draining.told(), field: .soon)

    static let sessionUnavailable = Refusal(Fault.sessionUnavailable.told(), field: .soon)
    static let supervisorUnavailable = Refusal(Fault.supervisorUnavailable.told(), field: .soon)
    static let overloaded = Refusal(
        ToldFault(
            .overloaded,
            message:
                "There are too many requests under way: \(LinkConnection.maximumExchanges), a fixed limit. "
                + "This one has not run."), field: .soon
    )
    /// Too much is held of bodies, of this caller or of all; its own is not read.
    static func overloadedBody(limit: Int) -> Refusal {
        Self.outOfMemory("\(limit) bytes, limits.heldBytes", closes: true)
    }
    /// The session worker has no room for the body.
    static let overloadedWorker = Self.outOfMemory("limits.workerBytes")

    private static func outOfMemory(_ setting: String, closes: Bool = false) -> Refusal {
        let message = "The requests under way hold too much memory (\(setting)). This one has not run."
        return Refusal(ToldFault(.overloaded, message: message), field: .soon, closes: closes)
    }
    static func tooManyConnections(limit: Int) -> Refusal {
        Refusal(Fault.tooManyConnections.told(["limit": "\(limit)"]), field: .soon, closes: true)
    }
    static let internalError = Refusal(Fault.internal.told(["what": "Internal server error"]))
    /// The answer to a request that was handed on, when the worker that had it died. The status is 200, because it is a
    /// JSON-RPC answer like any other: a client's library must hand it to whoever called.
    static let outcomeUnknown = Refusal(
        ToldFault(
            .outcomeUnknown,
            message: "The session worker stopped while it had this request. It may have run, and is not sent again."
        )
    )
}

extension Refusal.Field {
    /// RFC 6750, 3.
    static func challenge(_ more: String? = nil) -> Refusal.Field {
        Refusal.Field(
            name: "WWW-Authenticate", value: "Bearer realm=\"mcp-bridge\"" + (more.map { ", \($0)" } ?? ""))
    }
    /// What is refused now may be served in a second.
    static let soon = Refusal.Field(name: "Retry-After", value: "1")
}
