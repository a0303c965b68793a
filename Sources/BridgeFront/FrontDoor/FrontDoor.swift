import BridgeAccess
import BridgeConfiguration
import BridgeCore
import NIOHTTP1

/// Decides, before anything else is looked at, whether a request comes in at all.
///
/// In this order:
/// 1. The head has one meaning: one `Host`, one `Origin`, a target that is a path or a URL of our scheme with the same host
///    as `Host`, no transfer coding but `chunked`.
/// 2. On TCP, `Host` is ours (``HostRule``); on the local socket it may be anything, a name server has no say there.
/// 3. `Origin`, when present, is on the allowlist. This holds for every route and method, and on the local socket too.
/// 4. `OPTIONS` ends here with 204: a preflight carries no credential, and grants nothing but the asking.
/// 5. Who has a good token is its holder, wherever the request comes from, and may do what the token grants. A bad one is
///    refused, whatever is wrong with it. Where no token is needed, only what looks like one of ours counts as one: there
///    are clients that cannot but send some key.
/// 6. What is not certainly local needs a token: a remote page's request, a forwarded one (whatever address it came
///    from, the proxy speaks for somebody else), and a connection from another machine. With ``TokenRule/always``
///    everything does, but for the client whose program the bridge is. Some routes have something to say even to these
///    (``Route/Need``).
/// 7. What is left is local, and may do what its connection entitles it to (``Caller/grants(_:)``). Routes ask for that
///    themselves, so that no second reading of the path can disagree with the router's.
struct FrontDoor: Sendable {
    enum Verdict: Sendable, Equatable {
        case admitted(Admission)
        case preflight(origin: String?)
        /// `origin` is set when the origin is allowed, so that its page can read why.
        case refused(Refusal, origin: String?)
    }

    struct Admission: Sendable, Equatable {
        var principal: String
        var grants: Grants
        /// The `Origin`, if there is one. It is allowed.
        var origin: String?
        /// What was shown, if anything.
        var token: TokenHolder?
        /// Of whoever is not known: why most routes are not for them.
        var refusal: Refusal?
    }

    private let configuration: FrontConfiguration
    private let hosts: Set<String>
    private let rule: TokenRule

    /// - Parameter isPublic: whether other machines can connect, whatever the configuration says.
    init(_ configuration: FrontConfiguration, isPublic: Bool = false) {
        self.configuration = configuration
        self.hosts = Set(configuration.hosts)
        self.rule = isPublic ? .always : configuration.requireToken
    }

    func verdict(
        _ line: RequestLine, _ fields: RequestFields, from caller: Caller, tokens: any TokenReader = KnownTokens(),
        at second: Int = WallClock.seconds()
    ) -> Verdict {
        if let refusal = Self.malformed(line, fields) { return .refused(refusal, origin: nil) }
        if case .tcp(_, let local) = caller.way {
            if let host = Self.host(line, fields) {
                guard HostRule.admits(host, local: local, names: self.hosts) else {
                    return .refused(.hostNotAllowed, origin: nil)
                }
            } else if !Self.mayLackHost(line) {
                return .refused(.badRequest("Host is missing."), origin: nil)
            }
        }
        let origin = OriginRule(fields.origin) { self.configuration.allows(origin: $0) }
        if origin == .refused { return .refused(.originNotAllowed, origin: nil) }
        if line.method == .OPTIONS { return .preflight(origin: fields.origin) }
        // The client whose program this is needs no token, whoever else does.
        let rule = caller.way == .own ? .remote : self.rule
        let isLocal = caller.isLocal && !fields.isForwarded && origin != .remote && rule == .remote
        if let secret = fields.secret, !isLocal || secret.hasPrefix(TokenSecret.prefix) {
            switch tokens.verdict(on: secret, at: second) {
            case .good(let token):
                return .admitted(
                    Admission(principal: token.principal, grants: token.grants, origin: fields.origin, token: token))
            case .bad: return .refused(.tokenNotGood, origin: fields.origin)
            case .unreadable: return .refused(.tokensUnreadable, origin: fields.origin)
            }
        }
        guard isLocal else { return .refused(.tokenRequired, origin: fields.origin) }
        return .admitted(
            Admission(principal: caller.principal, grants: caller.grants(self.configuration), origin: fields.origin)
        )
    }

    private static func malformed(_ line: RequestLine, _ fields: RequestFields) -> Refusal? {
        if fields.hasOtherTransferCoding { return .transferCodingUnknown }
        if fields.isAmbiguous { return .badRequest("A header that may occur once occurs twice.") }
        switch line.target {
        case .path: return nil
        case .url(let authority, _):
            guard let named = HostName(authority) else { return .badRequest("The target's host is not valid.") }
            guard let host = fields.host, HostName(host) != named else { return nil }
            return .badRequest("Host is not the target's host.")
        case .service where line.method == .OPTIONS: return nil  // a preflight may be about the service as a whole
        case .service, .foreign: return .badRequest("The target must be a path, or begin with http://.")
        }
    }

    /// Whom a request is for. A target that names one says so for an old client that sends no `Host`.
    private static func host(_ line: RequestLine, _ fields: RequestFields) -> String? {
        if case .url(let authority, _) = line.target, line.isHTTP10 { return authority }
        return fields.host
    }

    /// Health checks of load balancers speak HTTP/1.0 and send no `Host`. A browser always sends one, and it is browsers
    /// that the rule is about.
    private static func mayLackHost(_ line: RequestLine) -> Bool {
        guard line.isHTTP10, let path = line.target.path else { return false }
        return Self.healthPaths.contains(String(path.prefix { $0 != "?" }))
    }

    private static let healthPaths: Set = ["/health", "/health/live", "/health/ready"]
}
