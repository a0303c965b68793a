package import BridgeConfiguration
package import BridgeCore

/// One sign-in that waits for its redirect. Each has a verifier and a `state` of its own, so that two do not meet.
package struct SignInAttempt: Sendable, Equatable {
    /// In seconds.
    package static let lifetime = 600.0

    package var state: String
    package var verifier: Secret
    package var redirect: String
    package var issuer: String
    /// As which client; nil where an earlier version has written it.
    package var clientID: String?
    /// As it was asked for.
    package var scope: String?
    package var resource: String?
    /// In seconds since 1970.
    package var began: Double
    /// Whether its redirect has come.
    package var isUsed = false

    package init(
        state: String, verifier: Secret, redirect: String, issuer: String, clientID: String? = nil, scope: String?,
        resource: String?, began: Double
    ) {
        self.state = state
        self.verifier = verifier
        self.redirect = redirect
        self.issuer = issuer
        self.clientID = clientID
        self.scope = scope
        self.resource = resource
        self.began = began
    }

    package func isOver(at now: Double) -> Bool { now >= self.began + Self.lifetime || now < self.began - 60 }

    package var json: JSONText {
        JSONWriter.object {
            $0.member("state", self.state)
            $0.member("verifier", self.verifier.value)
            $0.member("redirect", self.redirect)
            $0.member("issuer", self.issuer)
            $0.member("client_id", ifPresent: self.clientID)
            $0.member("scope", ifPresent: self.scope)
            $0.member("resource", ifPresent: self.resource)
            $0.member("began", self.began)
            if self.isUsed { $0.member("used", true) }
        }
    }

    package init?(_ json: JSONText) {
        guard let state = json.string("state"), let verifier = json.string("verifier"),
            let redirect = json.string("redirect"), let issuer = json.string("issuer"),
            let began = json.double("began")
        else { return nil }
        self.init(
            state: state, verifier: Secret(verifier), redirect: redirect, issuer: issuer,
            clientID: json.string("client_id"), scope: json.string("scope"), resource: json.string("resource"),
            began: began)
        self.isUsed = json.bool("used") ?? false
    }
}
