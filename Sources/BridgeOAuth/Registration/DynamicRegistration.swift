import BridgeConfiguration
import BridgeCore

/// Registers a client (RFC 7591), and asks again in another way where the first is refused. Pure.
struct DynamicRegistration: Sendable {
    enum Step: Sendable, Equatable {
        case ask(WebRequest)
        case registered(ClientRegistration)
        case failed(DiscoveryFailure)
    }

    /// In a day: servers complain of floods.
    static let most = 5

    private let endpoint: String
    private let issuer: String
    private let settings: OAuthSettings
    private let scope: String?
    private let version: String
    private var redirects: [String]
    private var applicationType: String? = "native"
    private var saysMore = true
    private var name: String
    private var grants = ["authorization_code", "refresh_token"]
    private let isByCode: Bool
    private var hasFallenBack: Set<Fallback> = []

    private enum Fallback { case loopback, web, less, codeAlone, otherName }
    private static let codeGrant = "urn:ietf:params:oauth:grant-type:device_code"

    /// - Parameter isByCode: whether somebody signs in by a code that is typed in elsewhere (RFC 8628). A client for that is
    ///   one of its own, and has no redirects: servers give each client the grants that it has asked for, and no others.
    init(
        _ endpoint: String, issuer: String, settings: OAuthSettings, scope: String?, version: String,
        isByCode: Bool = false
    ) {
        self.endpoint = endpoint
        self.issuer = issuer
        self.settings = settings
        self.scope = scope
        self.version = version
        self.redirects = settings.redirects
        self.name = settings.clientName
        self.isByCode = isByCode
        if isByCode { self.grants.append(Self.codeGrant) }
    }

    func begin() -> Step {
        let body = JSONWriter.object {
            $0.member("client_name", self.name)
            $0.member("redirect_uris", self.redirects)
            $0.member("grant_types", self.grants)
            $0.member("response_types", self.grants.contains("authorization_code") ? ["code"] : [])
            $0.member("token_endpoint_auth_method", "none")
            $0.member("application_type", ifPresent: self.saysMore ? self.applicationType : nil)
            guard self.saysMore else { return }
            $0.member("scope", ifPresent: self.scope)
            $0.member("software_id", "mcp-bridge")
            $0.member("software_version", self.version)
        }
        return .ask(
            WebRequest(
                .post, self.endpoint, headers: [WebHeader("Content-Type", "application/json")], body: body.description))
    }

    mutating func answered(_ answer: WebAnswer, now: Moment) -> Step {
        switch answer {
        case .failed(let words, _): return .failed(.transient("registration: \(words)", retryAfter: nil))
        case .reply(let reply):
            switch reply.status {
            case 200, 201: return self.registered(reply, now)
            case 400, 422: return self.refused(reply)
            case 408, 425, 429, 500...:
                return .failed(
                    .transient(
                        "registration was answered with status \(reply.status)",
                        retryAfter: Patience.seconds(reply, now: now.wall)))
            case 401, 403:
                return .failed(
                    .refused(
                        "the authorization server registers only clients that it knows by name (\(Self.words(reply))): "
                            + "register one by hand for oauth.clientId, or see oauth.clientName"))
            default: return .failed(.refused("registration was refused: \(Self.words(reply))"))
            }
        }
    }

    private static func words(_ reply: WebReply) -> String {
        let said = ForeignWords.of(reply)
        return said.isEmpty ? "status \(reply.status)" : "status \(reply.status): \(said)"
    }

    private mutating func refused(_ reply: WebReply) -> Step {
        let code = (try? JSONText(validating: reply.body))?.string("error")
        let loopback = self.redirects.filter { WebAddress($0)?.isLoopback ?? false }
        let isRedirect = code == "invalid_redirect_uri"
        if isRedirect, loopback.count < self.redirects.count, !loopback.isEmpty, self.take(.loopback) {
            self.redirects = loopback
            return self.begin()
        }
        if isRedirect, self.settings.redirects.contains(where: { $0.hasPrefix("https:") }), self.take(.web) {
            self.redirects = self.settings.redirects.filter { $0.hasPrefix("https:") }
            self.applicationType = "web"
            return self.begin()
        }
        if code == "invalid_client_metadata", self.take(.less) {
            self.saysMore = false
            return self.begin()
        }
        // There are servers whose clients have one grant each.
        if code == "invalid_client_metadata", self.isByCode, self.take(.codeAlone) {
            self.grants = [Self.codeGrant, "refresh_token"]
            return self.begin()
        }
        return .failed(.refused("registration was refused: \(Self.words(reply))"))
    }

    private mutating func take(_ fallback: Fallback) -> Bool { self.hasFallenBack.insert(fallback).inserted }

    private mutating func registered(_ reply: WebReply, _ now: Moment) -> Step {
        guard let json = try? JSONText(validating: reply.body), let id = json.string("client_id"), !id.isEmpty else {
            return .failed(.refused("registration was answered without a client_id: \(Self.words(reply))"))
        }
        let expires = json.double("client_secret_expires_at").flatMap { $0 > 0 ? $0 : nil }
        let secret = json.string("client_secret").flatMap { $0.isEmpty ? nil : $0 }
        if secret != nil, let expires, expires <= now.wall {
            // There are servers that give the same client again for the same words.
            guard self.take(.otherName) else {
                return .failed(.refused("registration gives a client whose secret has expired already"))
            }
            self.name += " 2"
            return self.begin()
        }
        var method = json.string("token_endpoint_auth_method").flatMap(OAuthSettings.ClientMethod.init(rawValue:))
        if secret == nil, method != nil { method = OAuthSettings.ClientMethod.none }
        return .registered(
            ClientRegistration(
                .registered, issuer: self.issuer, id: id, secret: secret.map { Secret($0) },
                secretExpires: secret == nil ? nil : expires, method: method,
                redirects: self.isByCode ? [] : self.redirects,
                registered: now.wall))
    }
}
