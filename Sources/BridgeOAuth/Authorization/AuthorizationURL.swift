import BridgeConfiguration
import BridgeCore

/// The address that somebody opens to sign in (RFC 6749, 4.1.1).
enum AuthorizationURL {
    /// - Parameter addsOffline: whether `offline_access` was added by ourselves: consent is asked for then.
    static func make(
        _ endpoint: String, client: ClientRegistration, attempt: SignInAttempt, addsOffline: Bool,
        settings: OAuthSettings
    ) -> String {
        var fields = FormFields()
        fields.add("response_type", "code")
        fields.add("client_id", client.id)
        fields.add("redirect_uri", attempt.redirect)
        fields.add("state", attempt.state)
        fields.add("code_challenge", PKCE.challenge(of: attempt.verifier.value))
        fields.add("code_challenge_method", "S256")
        fields.add(Self.scopeName(at: attempt.issuer), attempt.scope)
        fields.add("resource", attempt.resource)
        if addsOffline { fields.add("prompt", "consent") }
        for (name, value) in settings.extraParameters.sorted(by: { $0.key < $1.key }) where !Self.isOurs(name) {
            fields.set(name, value)
        }
        // What stands in the address of the endpoint stays there.
        let mark = endpoint.contains("?") ? (endpoint.hasSuffix("?") || endpoint.hasSuffix("&") ? "" : "&") : "?"
        return endpoint + mark + fields.text
    }

    /// Slack has what a user grants under another name than what a workspace grants.
    private static func scopeName(at issuer: String) -> String {
        guard let host = WebAddress(issuer)?.host, host == "slack.com" || host.hasSuffix(".slack.com") else {
            return "scope"
        }
        return "user_scope"
    }

    /// What no configuration changes: a sign-in would be open to others.
    static func isOurs(_ name: String) -> Bool {
        [
            "response_type", "client_id", "redirect_uri", "state", "code_challenge", "code_challenge_method", "code",
            "code_verifier", "grant_type", "refresh_token", "client_secret",
        ].contains(name)
    }
}
