/// What the configuration says of the OAuth of one upstream, and where its state lies.
///
/// An upstream over HTTP has them, with everything at its default, unless its entry says `oauth: false` or brings an
/// `Authorization` header of its own. With the defaults nothing is asked of anybody before the server answers 401.
package struct OAuthSettings: Sendable, Hashable, Codable {
    /// How tokens are had.
    package enum Grant: String, Sendable, Hashable, Codable, CaseIterable {
        /// Somebody signs in, in a browser or by a code typed in elsewhere.
        case authorizationCode = "authorization_code"
        /// The client itself is who signs in (RFC 6749, 4.4).
        case clientCredentials = "client_credentials"
    }

    /// What an authorization server must say of PKCE.
    package enum PKCE: String, Sendable, Hashable, Codable, CaseIterable {
        /// That it does S256; see ``IssuersWithoutWords`` for those known to do it silently.
        case required
        /// It does S256 though it does not say so.
        case assumed = "assume-s256"
    }

    /// What is sent as `resource` (RFC 8707).
    package enum Resource: Sendable, Hashable {
        /// What the server's metadata says, else its address.
        case standard
        /// Nothing.
        case none
        case uri(String)
    }

    /// How the client shows who it is at the token endpoint.
    package enum ClientMethod: String, Sendable, Hashable, Codable, CaseIterable {
        case none
        case post = "client_secret_post"
        case basic = "client_secret_basic"
    }

    package var grant = Grant.authorizationCode
    package var clientID: String?
    package var clientSecret: Secret?
    /// The issuer that the configured client was made for; nil: whichever the server names first.
    package var issuer: String?
    /// What a client is called when it is registered.
    package var clientName = "MCP Bridge"
    /// Where this bridge's own metadata document lies in public, where it does: the client's id then.
    package var clientMetadataURL: String?
    /// nil: as the server asks.
    package var scopes: [String]?
    /// Whether `offline_access` is asked for though the authorization server does not list it.
    package var offline = false
    package var pkce = PKCE.required
    package var resource = Resource.standard
    /// nil: as registered, else as the authorization server lists.
    package var tokenEndpointMethod: ClientMethod?
    /// Sent with the authorization and the token requests, whatever they mean there.
    package var extraParameters: [String: String] = [:]
    /// Where a browser is sent back to, each as it is registered: the receiver on this machine, the front's own.
    package var redirects = ["http://127.0.0.1:8770/callback"]
    /// The folder of the state files, absolute.
    package var folder: String
    /// The one state file of mcp-bridge for Node, where it may be this upstream's.
    package var olderState: String?
    /// By which state files are sealed: 32 bytes, base64. nil: they lie open, readable for this user alone.
    package var key: Secret?

    package init(folder: String) { self.folder = folder }
}

/// `true` is the standard, `false` nothing, a string itself.
extension OAuthSettings.Resource: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let isSent = try? container.decode(Bool.self) {
            self = isSent ? .standard : .none
        } else {
            self = .uri(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .standard: try container.encode(true)
        case .none: try container.encode(false)
        case .uri(let uri): try container.encode(uri)
        }
    }
}
