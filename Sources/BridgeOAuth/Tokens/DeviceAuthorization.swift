package import BridgeConfiguration
import BridgeCore

/// A code that somebody types in on another machine (RFC 8628, 3.2).
package struct DeviceAuthorization: Sendable, Equatable {
    package var code: Secret
    package var userCode: String
    package var url: String
    /// With the code in it.
    package var completeURL: String?
    /// In seconds.
    package var life: Double
    package var interval: Double

    init?(_ reply: WebReply) {
        guard reply.status == 200 || reply.status == 201, let json = try? JSONText(validating: reply.body),
            let code = json.string("device_code"), let userCode = json.string("user_code"),
            let url = json.string("verification_uri") ?? json.string("verification_url"),
            WebAddress(url)?.isSafe ?? false
        else { return nil }
        self.code = Secret(code)
        self.userCode = ForeignWords.short(userCode)
        self.url = url
        self.completeURL = json.string("verification_uri_complete").flatMap {
            WebAddress($0)?.isSafe ?? false ? $0 : nil
        }
        self.life = min(max(json.double("expires_in") ?? 600, 1), 1_800)
        self.interval = min(max(json.double("interval") ?? 5, 1), 60)
    }

    static func request(
        to endpoint: String, _ client: ClientRegistration, _ authentication: ClientAuthentication, scope: String?,
        resource: String?
    ) -> WebRequest {
        var fields = FormFields()
        var headers = [WebHeader("Content-Type", "application/x-www-form-urlencoded")]
        authentication.apply(client, to: &fields, &headers)
        if fields["client_id"] == nil { fields.add("client_id", client.id) }
        fields.add("scope", scope)
        fields.add("resource", resource)
        return WebRequest(.post, endpoint, headers: headers, body: fields.text)
    }
}
