/// What a server's entry says of OAuth, expanded. ``OAuthKeyTable`` says how each is written.
package struct OAuthEntry: Sendable, Hashable {
    /// What the redirect on this machine is called. The receiver listens on 127.0.0.1 alone, whichever it is.
    package enum RedirectHost: String, Sendable, Hashable, CaseIterable {
        case address = "127.0.0.1"
        case localhost
    }

    /// Whether tokens are anybody's business here.
    package var isOn = true
    /// Whether the file says anything of it.
    package var isWritten = false
    package var grant = OAuthSettings.Grant.authorizationCode
    package var clientID: ConfiguredText?
    package var clientSecret: ConfiguredText?
    package var issuer: String?
    package var clientName: String?
    package var clientMetadataURL: String?
    package var scopes: [String]?
    package var offline = false
    package var pkce = OAuthSettings.PKCE.required
    package var resource = OAuthSettings.Resource.standard
    package var tokenEndpointMethod: OAuthSettings.ClientMethod?
    package var extraParameters: [String: ConfiguredText] = [:]
    package var redirectHost = RedirectHost.address
    /// In place of the service's port for sign-ins.
    package var redirectPort: Int?

    package init() {}

    /// What the upstream's worker is told.
    ///
    /// - Parameter front: where the front takes redirects, if browsers can reach it.
    func settings(_ place: SignInPlace, front: String?) -> OAuthSettings {
        var settings = OAuthSettings(folder: place.folder)
        settings.grant = self.grant
        settings.clientID = self.clientID?.value
        settings.clientSecret = self.clientSecret?.secret
        settings.issuer = self.issuer
        if let name = self.clientName { settings.clientName = name }
        settings.clientMetadataURL = self.clientMetadataURL
        settings.scopes = self.scopes
        settings.offline = self.offline
        settings.pkce = self.pkce
        settings.resource = self.resource
        settings.tokenEndpointMethod = self.tokenEndpointMethod
        settings.extraParameters = self.extraParameters.mapValues(\.value)
        let port = self.redirectPort ?? place.port
        settings.redirects =
            ["http://\(self.redirectHost.rawValue):\(port)\(SignInPlace.path)"] + [front].compactMap(\.self)
        settings.olderState = place.olderState
        settings.key = place.key
        return settings
    }
}

/// What is the same for every upstream's sign-in.
package struct SignInPlace: Sendable, Hashable {
    /// Of the receiver on this machine.
    package static let path = "/callback"
    /// Of the front.
    package static let frontPath = "/oauth/callback"

    /// Of the state files.
    package var folder: String
    /// Where the receiver listens.
    package var port: Int
    /// See ``OAuthSettings/olderState``.
    package var olderState: String?
    package var key: Secret?
}
