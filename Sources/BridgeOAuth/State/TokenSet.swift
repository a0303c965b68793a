package import BridgeConfiguration
package import BridgeCore

/// The tokens of an upstream, with what is known of them.
package struct TokenSet: Sendable, Equatable {
    package var access: Secret
    package var refresh: Secret?
    package var issuer: String
    package var clientID: String
    /// What was asked for, and what was given; see RFC 6749, 5.1.
    package var asked: String?
    package var granted: String?
    package var resource: String?
    /// In seconds since 1970, like every time here.
    package var issued: Double
    /// nil where nobody can say.
    package var expires: Double?
    /// Of the refresh token; nil where nobody can say.
    package var refreshExpires: Double?

    package init(
        access: Secret, refresh: Secret?, issuer: String, clientID: String, asked: String?, granted: String?,
        resource: String?, issued: Double, expires: Double?, refreshExpires: Double? = nil
    ) {
        self.access = access
        self.refresh = refresh
        self.issuer = issuer
        self.clientID = clientID
        self.asked = asked
        self.granted = granted
        self.resource = resource
        self.issued = issued
        self.expires = expires
        self.refreshExpires = refreshExpires
    }

    /// Those that take the place of these. A refresh token that is not replaced stays.
    package func replaced(by new: IssuedTokens, now: Double) -> TokenSet {
        var set = self
        set.access = new.access
        set.refresh = new.refresh ?? self.refresh
        set.granted = new.scope ?? self.granted
        set.issued = now
        set.expires = new.life.map { now + $0 }
        if new.refresh != nil || new.refreshLife != nil { set.refreshExpires = new.refreshLife.map { now + $0 } }
        return set
    }

    package var json: JSONText {
        JSONWriter.object {
            $0.member("access_token", self.access.value)
            $0.member("refresh_token", ifPresent: self.refresh?.value)
            $0.member("issuer", self.issuer)
            $0.member("client_id", self.clientID)
            $0.member("asked", ifPresent: self.asked)
            $0.member("scope", ifPresent: self.granted)
            $0.member("resource", ifPresent: self.resource)
            $0.member("issued", self.issued)
            $0.member("expires", ifPresent: self.expires)
            $0.member("refresh_expires", ifPresent: self.refreshExpires)
        }
    }

    package init?(_ json: JSONText) {
        guard let access = json.string("access_token"), let issuer = json.string("issuer"),
            let client = json.string("client_id")
        else { return nil }
        self.init(
            access: Secret(access), refresh: json.string("refresh_token").map { Secret($0) }, issuer: issuer,
            clientID: client, asked: json.string("asked"), granted: json.string("scope"),
            resource: json.string("resource"), issued: json.double("issued") ?? 0, expires: json.double("expires"),
            refreshExpires: json.double("refresh_expires"))
    }
}
