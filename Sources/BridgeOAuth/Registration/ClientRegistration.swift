package import BridgeConfiguration
package import BridgeCore

/// A client that an authorization server knows, and how there came to be one.
package struct ClientRegistration: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case configured
        /// Its id is the address of our own metadata document.
        case metadataDocument = "metadata document"
        /// Registered by ourselves (RFC 7591).
        case registered
    }

    package var kind: Kind
    /// The one that knows it. It is shown to no other.
    package var issuer: String
    package var id: String
    package var secret: Secret?
    /// In seconds since 1970; nil: never.
    package var secretExpires: Double?
    /// As the registration was answered.
    package var method: OAuthSettings.ClientMethod?
    /// None where it was registered for codes that are typed in elsewhere.
    package var redirects: [String]
    /// In seconds since 1970.
    package var registered: Double
    /// Whether a sign-in with it came to nothing, so that it may be unknown by now: browsers alone are told that.
    package var isDoubtful = false

    package init(
        _ kind: Kind, issuer: String, id: String, secret: Secret? = nil, secretExpires: Double? = nil,
        method: OAuthSettings.ClientMethod? = nil, redirects: [String], registered: Double
    ) {
        self.kind = kind
        self.issuer = issuer
        self.id = id
        self.secret = secret
        self.secretExpires = secretExpires
        self.method = method
        self.redirects = redirects
        self.registered = registered
    }

    package func isExpired(at now: Double) -> Bool { self.secretExpires.map { $0 <= now } ?? false }

    /// As it is kept.
    package var json: JSONText {
        JSONWriter.object {
            $0.member("kind", self.kind.rawValue)
            $0.member("issuer", self.issuer)
            $0.member("client_id", self.id)
            $0.member("client_secret", ifPresent: self.secret?.value)
            $0.member("client_secret_expires_at", ifPresent: self.secretExpires)
            $0.member("token_endpoint_auth_method", ifPresent: self.method?.rawValue)
            $0.member("redirect_uris", self.redirects)
            $0.member("registered", self.registered)
            if self.isDoubtful { $0.member("doubtful", true) }
        }
    }

    package init?(_ json: JSONText) {
        guard let kind = json.string("kind").flatMap(Kind.init(rawValue:)), let issuer = json.string("issuer"),
            let id = json.string("client_id"), !id.isEmpty
        else { return nil }
        self.init(
            kind, issuer: issuer, id: id, secret: json.string("client_secret").map { Secret($0) },
            secretExpires: json.double("client_secret_expires_at"),
            method: json.string("token_endpoint_auth_method").flatMap(OAuthSettings.ClientMethod.init(rawValue:)),
            redirects: json.strings("redirect_uris"), registered: json.double("registered") ?? 0)
        self.isDoubtful = json.bool("doubtful") ?? false
    }
}
