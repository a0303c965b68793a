/// Every key of an entry's `oauth`, in one place: the reader and docs/configuration.md go by it.
package enum OAuthKeyTable {
    package static let all: [ServerKeyTable.Key] = [
        .init("clientId", "text", "of a client that was registered by hand"),
        .init(
            "clientSecret", "text",
            "its secret: `${credential:NAME}`, `${op://vault/item/field}` or `op://vault/item/field`, `${VAR}`"),
        .init("issuer", "URL", "the authorization server that the client was made for; it is sent to no other"),
        .init(
            "scopes", "[text], or a text with blanks",
            "what is asked for; as the server says when absent, `[]` asks for none"),
        .init("offline", "true or false", "asks for `offline_access` though the authorization server does not list it"),
        .init(
            "grant", "`authorization_code`, `client_credentials`",
            "who signs in: a person, or the configured client itself"),
        .init(
            "pkce", "`required`, `assume-s256`",
            "whether an authorization server must say that it does PKCE with S256; it is used in any case"),
        .init(
            "resource", "URI, or false",
            "sent as `resource` in place of what the server says of itself; false sends none"),
        .init(
            "tokenEndpointAuthMethod", "`none`, `client_secret_post`, `client_secret_basic`",
            "how the client shows who it is; as registered when absent"),
        .init(
            "extraParams", "{name: text}", "sent along with each authorization and token request, such as `audience`"),
        .init("clientName", "text", "what the client is called when it is registered; `MCP Bridge` when absent"),
        .init("clientMetadataUrl", "URL", "where this bridge's client metadata document lies in public"),
        .init(
            "redirectHost", "`127.0.0.1`, `localhost`",
            "what the redirect to this machine is called; the receiver is on 127.0.0.1 in any case"),
        .init(
            "callbackPort", "number", "in place of `bridge.signIn.port`, where the client was registered with another"),
    ]

    static let known = Self.all.map(\.name)

    /// Known to be written by other programs into `oauth`; ignored.
    static let foreign: Set<String> = [
        // Gemini CLI
        "authorizationUrl", "tokenUrl", "registrationUrl", "redirectUri", "audiences", "tokenParamName",
        // Claude Code
        "authServerMetadataUrl",
    ]

    /// The keys as Markdown.
    package static var markdown: String {
        let rows = self.all.map { "| `\($0.name)` | \($0.values) | \($0.meaning) |" }
        return (["| key of `oauth` | value | what it is |", "|---|---|---|"] + rows).joined(separator: "\n") + "\n"
    }
}
