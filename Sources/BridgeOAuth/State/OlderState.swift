import BridgeConfiguration
import BridgeCore
package import NIOCore

/// The one state file of mcp-bridge for Node: `{clientInformation, tokens, codeVerifier, discoveryState, lastSavedAt}`.
package enum OlderState {
    /// - Returns: nil where there is nothing in it to use, or it is another server's.
    package static func read(
        _ bytes: ByteBuffer, upstream: String, server: String, redirects: [String]
    ) -> OAuthRecord? {
        guard let json = try? JSONText(validating: bytes), json.kind == .object,
            let client = json.value("clientInformation"), let id = client.string("client_id"), !id.isEmpty
        else { return nil }
        let discovery = json.value("discoveryState")
        let named = discovery?.value("resourceMetadata")?.string("resource")
        if let named, let here = WebAddress(server), !Self.isSame(named, here) { return nil }
        let saved = json.string("lastSavedAt").flatMap { UTCTime(reading: $0) }.map { Double($0.seconds) } ?? 0
        let metadata = discovery?.value("authorizationServerMetadata").flatMap { try? ServerMetadata($0) }
        // Without a word of it, it is stamped with the first issuer that is found out.
        let issuer = metadata?.issuer ?? discovery?.string("authorizationServerUrl") ?? ""
        var record = OAuthRecord(upstream: upstream, server: server)
        if let metadata {
            record.discovered = Discovered(resource: named ?? server, metadata: metadata)
        }
        record.keep(
            ClientRegistration(
                .registered, issuer: issuer, id: id,
                secret: client.string("client_secret").map { Secret($0) },
                secretExpires: client.double("client_secret_expires_at").flatMap { $0 > 0 ? $0 : nil },
                method: client.string("token_endpoint_auth_method").flatMap(OAuthSettings.ClientMethod.init(rawValue:)),
                redirects: client.strings("redirect_uris").isEmpty ? redirects : client.strings("redirect_uris"),
                registered: saved))
        if let tokens = json.value("tokens"), let access = tokens.string("access_token"), !access.isEmpty {
            record.generation = 1
            let life = tokens.double("expires_in") ?? tokens.string("expires_in").flatMap { Double($0) }
            record.tokens = TokenSet(
                access: Secret(access), refresh: tokens.string("refresh_token").map { Secret($0) }, issuer: issuer,
                clientID: id, asked: tokens.string("scope"), granted: tokens.string("scope"), resource: named,
                issued: saved, expires: life.flatMap { $0 > 0 ? saved + $0 : nil })
        }
        return record
    }

    private static func isSame(_ resource: String, _ server: WebAddress) -> Bool {
        guard let resource = WebAddress(resource) else { return false }
        return resource.isSameOrigin(as: server)
            && (server.path.hasPrefix(resource.path) || resource.path.isEmpty)
    }
}
