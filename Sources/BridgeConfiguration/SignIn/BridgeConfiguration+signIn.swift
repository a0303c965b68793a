import BridgeCore

/// Signing in to upstreams.
extension BridgeConfiguration {
    /// `nil` where tokens are nobody's business: of a program, of a server that has its own `Authorization`, and where the entry
    /// says so.
    func oauth(of entry: UpstreamEntry, _ facts: RuntimeFacts) -> OAuthSettings? {
        guard case .remote(let endpoint) = entry.target, entry.oauth.isOn,
            entry.oauth.isWritten || !endpoint.headers.keys.contains(where: { $0.lowercased() == "authorization" })
        else { return nil }
        let place = SignInPlace(
            folder: facts.statePaths.oauthFolder, port: self.settings.signInPort,
            olderState: self.mayHaveOlderState(entry, facts.statePaths) ? facts.statePaths.oauthState : nil,
            key: facts.oauthKey)
        return entry.oauth.settings(place, front: self.frontRedirect)
    }

    /// mcp-bridge for Node had one server to sign in to, and called it `overseer`.
    private func mayHaveOlderState(_ entry: UpstreamEntry, _ paths: StatePaths) -> Bool {
        if entry.name == "overseer" { return true }
        let remote = self.upstreams.filter { if case .remote = $0.target { true } else { false } }
        return paths.isOAuthStateNamed && remote.map(\.name) == [entry.name]
    }

    /// Where the front takes redirects: in public, else on this machine.
    var frontRedirect: String? {
        if let url = self.settings.publicURL { return url + SignInPlace.frontPath }
        for case .tcp(let host, let port) in self.settings.listen where port != 0 {
            if ["127.0.0.1", "0.0.0.0"].contains(host) { return "http://127.0.0.1:\(port)\(SignInPlace.frontPath)" }
        }
        return nil
    }

    /// `nil` where the file says nothing of it. Without a secret.
    static func value(of oauth: OAuthEntry) -> ConfigurationValue? {
        guard oauth.isWritten else { return nil }
        guard oauth.isOn else { return .bool(false) }
        let standard = OAuthEntry()
        var members: [(String, ConfigurationValue)] = []
        func add(_ key: String, _ text: String?) { if let text { members.append((key, .string(text))) } }
        add("clientId", oauth.clientID?.masked)
        add("clientSecret", oauth.clientSecret.map { _ in Secret.mask })
        add("issuer", oauth.issuer)
        if let scopes = oauth.scopes { members.append(("scopes", .strings(scopes))) }
        if oauth.offline { members.append(("offline", .bool(true))) }
        if oauth.grant != standard.grant { add("grant", oauth.grant.rawValue) }
        if oauth.pkce != standard.pkce { add("pkce", oauth.pkce.rawValue) }
        switch oauth.resource {
        case .standard: break
        case .none: members.append(("resource", .bool(false)))
        case .uri(let uri): add("resource", uri)
        }
        add("tokenEndpointAuthMethod", oauth.tokenEndpointMethod?.rawValue)
        let extra = oauth.extraParameters.sorted { $0.key < $1.key }.map {
            ($0.key, ConfigurationValue.string($0.value.masked))
        }
        if !extra.isEmpty { members.append(("extraParams", .object(extra))) }
        add("clientName", oauth.clientName)
        add("clientMetadataUrl", oauth.clientMetadataURL)
        if oauth.redirectHost != standard.redirectHost { add("redirectHost", oauth.redirectHost.rawValue) }
        if let port = oauth.redirectPort { members.append(("callbackPort", .int(port))) }
        return .object(members)
    }
}
