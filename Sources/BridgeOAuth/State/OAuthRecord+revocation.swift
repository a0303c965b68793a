package import BridgeConfiguration
import BridgeCore

/// Giving tokens back (RFC 7009).
extension OAuthRecord {
    /// The refresh token first: with it, all that came of it goes.
    package func revocations(_ settings: OAuthSettings) -> [WebRequest] {
        guard let tokens, let metadata = self.discovered?.metadata, metadata.isOf(tokens.issuer),
            let endpoint = metadata.revocationEndpoint, var client = self.client
        else { return [] }
        if client.kind == .configured { client.secret = settings.clientSecret }
        let ways = ClientAuthentication.ways(client, metadata, settings)
        guard let way = self.authentication.flatMap({ ways.contains($0) ? $0 : nil }) ?? ways.first else { return [] }
        let all = [(tokens.refresh, "refresh_token"), (tokens.access, "access_token")]
        return all.compactMap { token, kind in
            guard let token else { return nil }
            var fields = FormFields()
            var headers = [WebHeader("Content-Type", "application/x-www-form-urlencoded")]
            fields.add("token", token.value)
            fields.add("token_type_hint", kind)
            way.apply(client, to: &fields, &headers)
            return WebRequest(.post, endpoint, headers: headers, body: fields.text)
        }
    }
}
