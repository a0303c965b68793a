package import BridgeConfiguration
import BridgeCore

/// Giving tokens back (RFC 7009).
extension OAuthRecord {
    /// The refresh token first: with it, all that came of it goes. Each token has the ways in which that is asked for, one after
    /// the other until one is taken.
    package func revocations(_ settings: OAuthSettings) -> [[WebRequest]] {
        guard let tokens, let metadata = self.discovered?.metadata, metadata.isOf(tokens.issuer),
            let endpoint = metadata.revocationEndpoint, var client = self.client
        else { return [] }
        if client.kind == .configured { client.secret = settings.clientSecret }
        var ways = ClientAuthentication.ways(client, metadata, settings)
        if let last = self.authentication, let at = ways.firstIndex(of: last) { ways.swapAt(0, at) }
        let all = [(tokens.refresh, "refresh_token"), (tokens.access, "access_token")]
        return all.compactMap { token, kind in
            token.map { Self.revocations(of: $0, kind, client, ways, at: endpoint) }
        }
    }

    private static func revocations(
        of token: Secret, _ kind: String, _ client: ClientRegistration, _ ways: [ClientAuthentication],
        at endpoint: String
    ) -> [WebRequest] {
        ways.flatMap { way -> [WebRequest] in
            var fields = FormFields()
            var headers = [WebHeader("Content-Type", "application/x-www-form-urlencoded")]
            fields.add("token", token.value)
            fields.add("token_type_hint", kind)
            way.apply(client, to: &fields, &headers)
            let request = WebRequest(.post, endpoint, headers: headers, body: fields.text)
            guard way.method == .none else { return [request] }
            // The official SDK wants this member from everybody, and looks at it only where there is a secret.
            fields.add("client_secret", "")
            return [request, WebRequest(.post, endpoint, headers: headers, body: fields.text)]
        }
    }
}
