import BridgeConfiguration
import BridgeCore
import NIOHTTP1

/// What follows from a request's head alone, for the front's own path. An object, so that a request which has the same head
/// as the one before it costs one reference.
final class HeadVerdict: Sendable {
    let fields: RequestFields
    /// The page that may read the response.
    let origin: String?
    /// Why the request is not served.
    let refusal: Refusal?
    /// Which route metrics count it under: what the door refuses has reached none.
    let route: Route
    /// On whose behalf it is.
    let principal: String
    /// The token that was shown, if any.
    let token: TokenHolder?
    /// Whether it may answer requests for models (``Grants/source``).
    let mayLend: Bool
    /// Whether it does, by the word of the command that carries it: `?source=yes`.
    let lends: Bool
    /// Whether they may change what the service runs.
    let isOwner: Bool
    /// How this client wants names to be shown.
    let names: String?
    /// For which session of HTTP+SSE it is, where it says so.
    let streamedSession: String?

    convenience init(
        _ head: HTTPRequestHead, _ fields: RequestFields, _ endpoint: Endpoint, _ operation: Endpoint.Operation,
        door: FrontDoor, tokens: any TokenReader = KnownTokens(), caller: Caller, bodyLimit: Int
    ) {
        self.init(
            head, fields, endpoint.route, isPost: operation == .post, door: door, tokens: tokens, caller: caller,
            names: operation == .post || operation == .sse ? Self.names(head.uri) : nil,
            streamedSession: endpoint.isStreamed ? StreamedPaths.session(in: head.uri) : nil,
            check: { endpoint.check(operation, fields, bodyLimit) })
    }

    /// - Parameter check: what is against a request that the door lets in.
    init(
        _ head: HTTPRequestHead, _ fields: RequestFields, _ route: Route, isPost: Bool, door: FrontDoor,
        tokens: any TokenReader, caller: Caller, names: String? = nil, streamedSession: String? = nil,
        check: () -> Refusal?
    ) {
        self.fields = fields
        self.names = names
        self.streamedSession = streamedSession
        switch door.verdict(RequestLine(head), fields, from: caller, tokens: tokens) {
        case .admitted(let admission):
            self.origin = admission.origin
            self.route = route
            self.principal = admission.principal
            self.token = admission.token
            self.isOwner = admission.mayAdminister
            self.mayLend = admission.grants.contains(.source)
            self.lends = admission.mayLendUnnamed && Self.member("source", of: head.uri) == "yes"
            self.refusal = admission.refusal(for: route.needs(isPost: isPost)) ?? check()
        case .preflight(let origin):  // none of the methods here is OPTIONS
            self.origin = origin
            self.route = .other
            self.principal = ""
            self.token = nil
            self.mayLend = false
            self.lends = false
            self.isOwner = false
            self.refusal = .notFound
        case .refused(let refusal, let origin):
            self.origin = origin
            self.route = .other
            self.principal = ""
            self.token = nil
            self.mayLend = false
            self.lends = false
            self.isOwner = false
            self.refusal = refusal
        }
    }

    /// The header that opens the exchange with the session worker.
    func request(_ operation: Endpoint.Operation, id: RequestID?) -> SessionRequest {
        SessionRequest(
            operation, requestID: id?.description ?? "", sessionID: self.fields.sessionID, principal: self.principal,
            scope: self.token?.scope, concurrency: self.token?.concurrency, mayLend: self.mayLend,
            lends: self.lends, isOwner: self.isOwner, names: self.names,
            lastEventID: operation == .get ? self.fields.lastEventID : nil
        )
    }

    /// `?names=safe`, for a client that has nothing but an address to say it with.
    private static func names(_ target: String) -> String? {
        self.member("names", of: target).flatMap { NameStyle(rawValue: $0) }?.rawValue
    }

    /// A member of the query, as it is written; of several, the first.
    private static func member(_ name: String, of target: String) -> String? {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return nil }
        let query = target[target.utf8.index(after: mark)...].prefix { $0 != "#" }
        for pair in query.split(separator: "&") where pair.hasPrefix(name + "=") {
            return String(pair.dropFirst(name.count + 1))
        }
        return nil
    }
}
