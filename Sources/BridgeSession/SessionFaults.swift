import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP

/// What the session worker tells clients of, beside what the sentences of the ``FaultTable`` say by themselves.
extension ToldFault {
    static let cancelled = Fault.cancelled.told()
    /// In the front's own words: which of the two says it is a matter of chance.
    static let tokenIsOver = ToldFault(
        .outcomeUnknown,
        message: "The token was revoked or has expired while this request was under way. It may have run.")
    static let sessionRequired = Fault.sessionRequired.told()
    static let unknownSession = Fault.unknownSession.told()
    static let unknownEvent = Fault.unknownEvent.told()
    static let duplicateID = Fault.duplicateID.told()
    static let batchNotAllowed = Fault.batchNotAllowed.told()
    static let internalError = Fault.internal.told(["what": "Internal error"])
    static func tooManyCalls(_ limit: Int) -> ToldFault {
        Fault.overloaded.told(["what": "Too many requests are in flight: \(limit), as limits.calls says"])
    }
    /// When one of them ends nobody knows: a second is soon enough to ask again.
    static func tooManyOfToken(_ limit: Int) -> ToldFault {
        Fault.concurrencyLimited.told(
            ["limit": "\(limit)"], details: JSONWriter.object { $0.member("retryAfter", 1) })
    }
    static let tooManyHooks = Fault.overloaded.told([
        "what":
            "\(SamplingSource.maximumHooks) calls of '\(HookTool.name)' are open in the session already, a fixed limit"
    ])
    static let tooManyExchanges = Fault.overloaded.told([
        "what": "Too many requests are in flight to this upstream: \(LinkConnection.maximumExchanges), a fixed limit"
    ])
    static func tooManyWaiting(_ limit: Int) -> ToldFault {
        Fault.overloaded.told(["what": "Too many requests wait for servers that start: \(limit), a fixed limit"])
    }
    /// - Parameter limit: in bytes.
    static func noMemory(_ limit: Int) -> ToldFault {
        Fault.overloaded.told([
            "what": "The requests under way hold too much of \(limit) bytes of memory (limits.workerBytes)"
        ])
    }
    static let ledgerFull = ToldFault(
        .overloaded, message: "Too much is remembered of your sessions already; they end by themselves when they expire"
    )

    static let tooManySubscriptions = Fault.overloaded.told([
        "what":
            "The session's subscriptions would take more than \(SubscriptionBook<Void>.maximumOctets) bytes, a fixed limit"
    ])

    static let unknownTask = Fault.unknownTask.told(["what": "There is no such task of yours"])
    static func unconfiguredTask(_ server: String) -> ToldFault {
        Fault.unknownTask.told(["what": "The task is no more: there is no upstream '\(server)' any more"])
    }
    static func tooManyTasks(_ limit: Int) -> ToldFault {
        Fault.overloaded.told([
            "what": "\(limit) tasks of yours are under way, a fixed limit; each counts until it ends, or its ttl does"
        ])
    }
    static func noTask(_ tool: String, _ upstream: String) -> ToldFault {
        ToldFault(
            .methodNotFound,
            message: "'\(tool.prefix(256))' cannot be called as a task: upstream '\(upstream)' declares no tasks")
    }
    static func longTaskID(_ upstream: String) -> ToldFault {
        Fault.outcomeUnknown.told([
            "what":
                "Upstream '\(upstream)' made a task whose id has more than \(TaskClaims.maximumOwnID) bytes, a fixed limit"
        ])
    }
    static func lostTask(_ upstream: String, _ reason: String) -> ToldFault {
        Fault.outcomeUnknown.told([
            "what": "The task that upstream '\(upstream)' made of the call was lost: \(reason.prefix(512))"
        ])
    }
    static func endlessTask(_ upstream: String, after limit: Seconds) -> ToldFault {
        ToldFault(
            .timeout,
            message:
                "The task of upstream '\(upstream)' did not end within \(limit.words), which is what is left of its "
                + "ttl; it may go on")
    }

    static func invalidRequest(_ what: String) -> ToldFault { Fault.invalidRequest.told(["what": what]) }
    static func invalidParams(_ what: String) -> ToldFault { Fault.invalidParams.told(["what": what]) }
    static func methodNotFound(_ method: String) -> ToldFault {
        Fault.methodNotFound.told(["method": String(method.prefix(128))])
    }
    /// What a caller who was not granted all of MCP names, and does not see.
    static func outOfScope(_ name: String) -> ToldFault {
        Fault.notGranted.told(["what": "The token's scope does not have '\(name.prefix(256))'; nothing has run"])
    }
    static func unavailable(_ upstream: String, _ reason: String) -> ToldFault {
        Fault.upstreamUnavailable.told(["upstream": upstream, "reason": reason])
    }
    static func outcomeUnknown(_ upstream: String) -> ToldFault {
        Fault.outcomeUnknown.told([
            "what": "The worker of upstream '\(upstream)' ended while the call was in flight"
        ])
    }
    static func tooLarge(_ upstream: String) -> ToldFault { Fault.tooLarge.told(["upstream": upstream]) }
    static func timeout(_ upstream: String, after limit: Seconds) -> ToldFault {
        Fault.timeout.told([
            "upstream": upstream, "limit": "within \(limit.words) (timeouts.call, timeouts.tools)",
        ])
    }
}
