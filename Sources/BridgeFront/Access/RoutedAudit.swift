import BridgeAccess
import BridgeConfiguration
import BridgeCore
import NIOCore

/// What the audit says of a request that is the router's. Confined to the event loop.
final class RoutedAudit {
    /// The route's, and the server's or the model's that it is about.
    var route = Route.other
    var subject: String?
    var requestBytes = 0
    /// The stable word of what went wrong.
    var failure: String?

    private let state: FrontState
    private let method: String
    private let start: NIODeadline
    private var name: RequestID?

    /// - Parameter method: of HTTP, as the client wrote it.
    init(_ state: FrontState, method: String) {
        self.state = state
        self.method = method
        self.start = state.clock.now
    }

    /// The id under which the audit and the logs of all processes know it.
    func id() -> RequestID {
        let id = self.name ?? self.state.nextRequestID()
        self.name = id
        return id
    }

    /// A change that the supervisor has answered with this status; its words are for people.
    func note(status: Int) {
        if status >= 400 { self.failure = self.failure ?? "refused" }
    }

    /// It is over.
    func record(_ admission: FrontDoor.Admission?, status: Int, responseBytes: Int) {
        let token = admission?.token?.id
        let isLogged = admission?.token?.isAudited ?? false
        guard self.state.audit.wants(token) || isLogged else { return }
        let elapsed = self.state.clock.refresh() - self.start
        let method = CallRecord.printable("\(self.method) \(self.route.path ?? self.state.configuration.mcpPath)")
        if self.state.audit.wants(token) {
            self.state.audit.record(
                AuditRow(
                    requestID: self.id().description,
                    time: WallTime.milliseconds() - Int(elapsed.nanoseconds / 1_000_000), token: token,
                    principal: admission?.principal ?? "", method: method, subject: self.subject,
                    requestBytes: self.requestBytes, responseBytes: responseBytes,
                    microseconds: Int(elapsed.nanoseconds / 1_000), outcome: self.failure ?? AuditRow.ok, status: status
                ))
        }
        guard isLogged else { return }
        CallRecord(
            method: method, session: nil, elapsed: elapsed, token: token, subject: self.subject, isAudited: true
        ).write(to: self.state.logger, status: status, failure: self.failure, id: self.id())
    }
}

extension Route {
    /// As the audit names it; nil for what the front answers on its own path. What no route serves is whatever somebody wrote: it is not repeated.
    fileprivate var path: String? {
        switch self {
        case .root: "/"
        case .mcp, .completions, .responses, .anthropic, .models: nil
        case .health: "/health"
        case .live: "/health/live"
        case .ready: "/health/ready"
        case .servers, .server: "/servers"
        case .sse, .messages, .tools, .metrics: "/\(self.name)"
        case .callback: "/oauth/callback"
        case .other: "(no route)"
        }
    }
}
