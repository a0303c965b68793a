package import BridgeConfiguration
import BridgeCore
import FoundationEssentials
import NIOCore

/// What a token endpoint has given.
package struct IssuedTokens: Sendable, Equatable {
    package var access: Secret
    /// nil: the one before stays.
    package var refresh: Secret?
    /// nil: what was asked for.
    package var scope: String?
    /// In seconds; nil where nobody can say.
    package var life: Double?
    /// Of the refresh token; nil, too, where it is 0, which some say of one that ends with the session.
    package var refreshLife: Double?
    /// The server's clock at that moment, in seconds since 1970.
    package var date: Double?

    package init(
        access: Secret, refresh: Secret? = nil, scope: String? = nil, life: Double? = nil, refreshLife: Double? = nil,
        date: Double? = nil
    ) {
        self.access = access
        self.refresh = refresh
        self.scope = scope
        self.life = life
        self.refreshLife = refreshLife
        self.date = date
    }

    /// Longer lives are none that anybody has meant.
    private static let longest = 10.0 * 365 * 86_400

    /// Reads an answer of status 200 or 201, whatever its content type says: JSON, else a form.
    ///
    /// - Returns: nil where no usable token is in it.
    init?(_ reply: WebReply, now: Double) {
        let date = reply.header("Date").flatMap { Patience.date($0) }.map(Double.init)
        if let json = try? JSONText(validating: reply.body) {
            guard json.kind == .object, json.bool("ok") != false else { return nil }
            // Slack has a user's tokens below the workspace's.
            let user = json.value("authed_user").flatMap { $0.string("access_token") == nil ? nil : $0 }
            let place = json.string("access_token") == nil ? user ?? json : json
            self.init(place, now: now)
        } else {
            let form = FormFields(String(decoding: reply.body.readableBytesView, as: UTF8.self))
            guard let access = form["access_token"], Self.isUsable(access), Self.isBearer(form["token_type"]) else {
                return nil
            }
            self.init(
                access: Secret(access), refresh: form["refresh_token"].map { Secret($0) }, scope: form["scope"],
                life: form["expires_in"].flatMap { Self.life($0) },
                refreshLife: form["refresh_token_expires_in"].flatMap { Self.life($0) })
        }
        self.date = date
    }

    private init?(_ json: JSONText, now: Double) {
        guard let access = json.string("access_token"), Self.isUsable(access),
            Self.isBearer(json.string("token_type"))
        else { return nil }
        let refresh = json.string("refresh_token").flatMap { $0.isEmpty ? nil : $0 }
        self.init(
            access: Secret(access), refresh: refresh.map { Secret($0) },
            scope: json.string("scope") ?? json.value("scope").flatMap { Self.list($0) },
            life: Self.life(json.value("expires_in"))
                ?? Self.time(json.value("expires_on")).flatMap { Self.limited($0 - now) }
                ?? Self.end(ofJWT: access).flatMap { Self.limited($0 - now) },
            refreshLife: Self.life(json.value("refresh_expires_in"))
                ?? Self.life(json.value("refresh_token_expires_in"))
        )
    }

    private static func list(_ json: JSONText) -> String? {
        var words: [String] = []
        json.elements { json[$0].string.map { words.append($0) } }
        return words.isEmpty ? nil : words.joined(separator: " ")
    }

    /// It goes into a header as it is.
    private static func isUsable(_ token: String) -> Bool {
        !token.isEmpty && token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// Whatever the type is called, it is sent as a bearer token, unless it is of a kind that would need more.
    private static func isBearer(_ type: String?) -> Bool {
        !["dpop", "mac", "pop", "n_a"].contains(type?.lowercased() ?? "")
    }

    /// A number, or digits in a string. 0, what is negative and what is no number say nothing.
    private static func life(_ json: JSONText?) -> Double? {
        guard let json else { return nil }
        return json.double.flatMap { Self.limited($0) } ?? json.string.flatMap { Self.life($0) }
    }

    private static func life(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return Double(text).flatMap { Self.limited($0) }
    }

    private static func limited(_ seconds: Double) -> Double? {
        seconds > 0 && seconds <= Self.longest ? seconds : nil
    }

    private static func time(_ json: JSONText?) -> Double? {
        json.flatMap { $0.double ?? $0.string.flatMap { Double($0) } }
    }

    /// `exp` of an access token that is a JWT. It is believed about its end, and about nothing else.
    private static func end(ofJWT token: String) -> Double? {
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, var text = Optional(String(parts[1])), text.utf8.count < 16_384 else { return nil }
        text = text.replacing("-", with: "+").replacing("_", with: "/")
        while text.utf8.count % 4 != 0 { text += "=" }
        guard let data = Data(base64Encoded: text), let json = try? JSONText(validating: ByteBuffer(bytes: data)) else {
            return nil
        }
        return json.double("exp")
    }
}
