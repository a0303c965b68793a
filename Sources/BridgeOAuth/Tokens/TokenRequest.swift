import BridgeConfiguration
import BridgeCore

/// Every request to a token endpoint, put together in one place, so that none of them forgets what the others say.
struct TokenRequest: Sendable {
    enum Grant: Sendable, Equatable {
        case code(Secret, redirect: String, verifier: Secret)
        case refresh(Secret)
        case device(Secret)
        case clientCredentials
    }

    var grant: Grant
    var client: ClientRegistration
    var authentication: ClientAuthentication
    var scope: String?
    var resource: String?
    var extra: [String: String] = [:]

    /// In seconds.
    private static let limit = 30
    private static let maximumBody = 1 << 20

    func request(to endpoint: String) -> WebRequest {
        var fields = FormFields()
        var headers = [WebHeader("Content-Type", "application/x-www-form-urlencoded")]
        switch self.grant {
        case .code(let code, let redirect, let verifier):
            fields.add("grant_type", "authorization_code")
            fields.add("code", code.value)
            fields.add("redirect_uri", redirect)
            fields.add("code_verifier", verifier.value)
        case .refresh(let token):
            fields.add("grant_type", "refresh_token")
            fields.add("refresh_token", token.value)
            fields.add("scope", self.scope)
        case .device(let code):
            fields.add("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
            fields.add("device_code", code.value)
        case .clientCredentials:
            fields.add("grant_type", "client_credentials")
            fields.add("scope", self.scope)
        }
        fields.add("resource", self.resource)
        self.authentication.apply(self.client, to: &fields, &headers)
        for (name, value) in self.extra.sorted(by: { $0.key < $1.key }) where !Self.isForBrowsers(name) {
            if !AuthorizationURL.isOurs(name), name != "scope" { fields.set(name, value) }
        }
        return WebRequest(
            .post, endpoint, headers: headers, body: fields.text, limit: Self.limit, maximumBody: Self.maximumBody)
    }

    private static func isForBrowsers(_ name: String) -> Bool {
        ["prompt", "access_type", "login_hint", "ui_locales", "display", "response_mode", "user_scope"].contains(name)
    }
}
