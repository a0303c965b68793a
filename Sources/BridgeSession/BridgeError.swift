import BridgeCore
import NIOCore

/// An error that the bridge itself answers, in JSON-RPC's shape. `data.code` is the stable word for it.
struct BridgeError {
    let code: Int
    let word: String
    let message: String
    /// Whether it tells the client that nothing has run.
    var saysItDidNotRun = false

    /// The same of an error that an upstream's worker made, by its word.
    static func saysItDidNotRun(_ word: String) -> Bool {
        [Self.overloaded.word, "upstream_unavailable", "invalid_request"].contains(word)
    }

    func reply(to id: ByteBuffer?) -> ByteBuffer {
        RPCReply.error(
            id: id, code: self.code, message: self.message, data: JSONWriter.object { $0.member("code", self.word) }
        )
    }

    static let unknownSession = BridgeError(code: -32000, word: "unknown_session", message: "Unknown MCP session ID")
    static let sessionRequired = BridgeError(
        code: -32000, word: "session_required",
        message: "Bad Request: initialize request or MCP-Session-Id is required"
    )
    static let unknownEvent = BridgeError(
        code: -32000, word: "unknown_event", message: "Unknown event ID: its stream is no longer kept"
    )
    static let cancelled = BridgeError(code: -32800, word: "cancelled", message: "Request cancelled")
    static let overloaded = BridgeError(
        code: -32006, word: "overloaded", message: "Too many requests are in flight; this one did not run",
        saysItDidNotRun: true
    )
    static let noMemory = BridgeError(
        code: -32006, word: "overloaded",
        message: "The requests under way hold too much memory (limits.workerBytes); this one did not run",
        saysItDidNotRun: true
    )
    static let ledgerFull = BridgeError(
        code: -32006, word: "overloaded",
        message: "Too much is remembered of your sessions already; they end by themselves when they expire",
        saysItDidNotRun: true
    )
    static let duplicateID = BridgeError(
        code: -32600, word: "duplicate_id", message: "A request with this id is still in flight in this session"
    )
    static let batchNotAllowed = BridgeError(
        code: -32600, word: "batch_not_allowed", message: "This revision of the protocol has no JSON-RPC batches"
    )
    static let internalError = BridgeError(code: -32603, word: "internal", message: "Internal error")

    static func invalidRequest(_ message: String) -> BridgeError {
        BridgeError(code: -32600, word: "invalid_request", message: message)
    }
    static func invalidParams(_ message: String) -> BridgeError {
        BridgeError(code: -32602, word: "invalid_params", message: message)
    }
    static func methodNotFound(_ method: String) -> BridgeError {
        BridgeError(code: -32601, word: "method_not_found", message: "Method not found: \(method.prefix(128))")
    }
    static func unknownTool(_ name: String) -> BridgeError {
        BridgeError(code: -32602, word: "unknown_tool", message: "Unknown tool '\(name.prefix(256))'.")
    }
    static func unavailable(_ upstream: String, _ reason: String) -> BridgeError {
        BridgeError(
            code: -32003, word: "upstream_unavailable",
            message: "Upstream '\(upstream)' is not available (\(reason)); the call did not run",
            saysItDidNotRun: true
        )
    }
    static func outcomeUnknown(_ upstream: String) -> BridgeError {
        BridgeError(
            code: -32004, word: "outcome_unknown",
            message: "The worker of upstream '\(upstream)' ended while the call was in flight; the call may have run"
        )
    }
    static func tooLarge(_ upstream: String) -> BridgeError {
        BridgeError(
            code: -32603, word: "too_large",
            message: "Upstream '\(upstream)' answered with more than 64 MiB; the call has run"
        )
    }
    static func timeout(_ upstream: String) -> BridgeError {
        BridgeError(
            code: -32005, word: "timeout",
            message: "Upstream '\(upstream)' did not answer in time; the call was cancelled and may have run"
        )
    }
}
