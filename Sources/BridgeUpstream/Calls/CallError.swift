import BridgeCore
import NIOCore

/// Why a call got no answer from its upstream.
enum CallError: Equatable {
    /// It did not run.
    case unavailable(reason: String)
    /// It was written, and the connection was lost before its answer came.
    case outcomeUnknown(reason: String)
    /// It was written and took too long; the upstream was told to stop.
    case timedOut(after: TimeAmount)
    /// Too much waits already. It did not run.
    case overloaded
    /// What came is no request.
    case invalid

    /// The stable word, in `data.code`.
    var word: String {
        switch self {
        case .unavailable: "upstream_unavailable"
        case .outcomeUnknown: "outcome_unknown"
        case .timedOut: "timeout"
        case .overloaded: "overloaded"
        case .invalid: "invalid_request"
        }
    }

    var code: Int {
        switch self {
        case .unavailable: -32003
        case .outcomeUnknown: -32004
        case .timedOut: -32005
        case .overloaded: -32006
        case .invalid: -32600
        }
    }

    func message(upstream: String) -> String {
        switch self {
        case .unavailable(let reason):
            "Upstream '\(upstream)' is unavailable: \(reason). The call did not run."
        case .outcomeUnknown(let reason):
            "The answer of upstream '\(upstream)' was lost: \(reason). The call may have run."
        case .timedOut(let limit):
            "Upstream '\(upstream)' did not answer within \(Self.seconds(limit)). It was told to cancel; the call may have run."
        case .overloaded:
            "Too many calls to upstream '\(upstream)' are waiting. The call did not run."
        case .invalid:
            "Invalid request"
        }
    }

    /// - Parameter id: the request's, as it was written; `nil` where there is none.
    func reply(to id: ByteBuffer?, upstream: String) -> ByteBuffer {
        let data = JSONWriter.object {
            $0.member("code", self.word)
            $0.member("upstream", upstream)
        }
        return RPCReply.error(id: id, code: self.code, message: self.message(upstream: upstream), data: data)
    }

    private static func seconds(_ amount: TimeAmount) -> String {
        let milliseconds = amount.nanoseconds / 1_000_000
        return milliseconds % 1_000 == 0 ? "\(milliseconds / 1_000) s" : "\(milliseconds) ms"
    }
}
