import BridgeConfiguration
import BridgeCore

/// As which client somebody signs in.
enum RegistrationChoice: Equatable {
    case use(ClientRegistration)
    /// At this address.
    case register(String)
    /// What is wrong with the configuration, or has to be done by hand.
    case impossible(String)

    /// - Parameters:
    ///   - stored: those that were registered before, with whichever server.
    ///   - redirect: where the browser is to be sent back to; nil where there is none, but a code.
    ///   - fresh: whether what was registered before is not to be used.
    static func make(
        _ found: Discovered, settings: OAuthSettings, stored: [ClientRegistration], redirect: String? = nil,
        fresh: Bool,
        now: Double
    ) -> RegistrationChoice {
        let metadata = found.metadata
        if let id = settings.clientID {
            guard !id.isEmpty else { return .impossible("oauth.clientId is empty") }
            if let issuer = settings.issuer, !metadata.isOf(issuer) {
                return .impossible(
                    "the configured client is for \(issuer) (oauth.issuer), and the server's authorization server is "
                        + "\(metadata.issuer): nothing of it is sent there")
            }
            if let before = stored.first(where: { $0.kind == .configured && $0.id == id }),
                !metadata.isOf(before.issuer), settings.issuer == nil
            {
                return .impossible(
                    "the configured client was used with \(before.issuer), and the server's authorization server is now "
                        + "\(metadata.issuer): oauth.issuer says for which it is")
            }
            return .use(
                ClientRegistration(
                    .configured, issuer: metadata.issuer, id: id, secret: settings.clientSecret,
                    method: settings.tokenEndpointMethod, redirects: settings.redirects, registered: now))
        }
        if settings.grant == .clientCredentials {
            return .impossible("the grant client_credentials needs a client: oauth.clientId and oauth.clientSecret")
        }
        if metadata.takesMetadataDocuments, let url = settings.clientMetadataURL {
            return .use(
                ClientRegistration(
                    .metadataDocument, issuer: metadata.issuer, id: url, method: OAuthSettings.ClientMethod.none,
                    redirects: settings.redirects, registered: now))
        }
        if !fresh, let known = stored.last(where: { Self.isGood($0, metadata, redirect, now) }) { return .use(known) }
        if let endpoint = metadata.registrationEndpoint { return .register(endpoint) }
        return .impossible(
            "this server needs a client that is registered by hand: its id is to be given as oauth.clientId. Redirect URIs "
                + "of the client: \(settings.redirects.joined(separator: ", "))")
    }

    private static func isGood(
        _ known: ClientRegistration, _ metadata: ServerMetadata, _ redirect: String?, _ now: Double
    ) -> Bool {
        known.kind == .registered && metadata.isOf(known.issuer) && !known.isDoubtful && !known.isExpired(at: now)
            && redirect.map { known.redirects.contains($0) } ?? known.redirects.isEmpty
    }
}
