package import BridgeConfiguration
import BridgeCore
import NIOCore

/// What an answer of a token endpoint means.
///
/// Most answers say nothing about the grant, whatever they look like: only what is a verdict is taken for one.
package enum TokenVerdict: Sendable, Equatable {
    case issued(IssuedTokens)
    /// The request did not leave.
    case notSent(String)
    /// It left, and no whole answer came: the token may have been replaced.
    case unknown(String)
    /// Trouble of the server's.
    case later(String, retryAfter: Int?)
    case redirected(String)
    /// A page, or nothing, or what is no JSON: a portal, a firewall, somebody's login.
    case page(String)
    /// The refresh token, or the code, is not good.
    case grantRefused(String)
    case clientRefused(String)
    /// There is no refreshing here.
    case grantUnsupported(String)
    case scopeRefused(String)
    case resourceRefused(String)
    /// Somebody has to act.
    case interactionNeeded(String)
    /// The endpoint is not there any more.
    case moved(String)
    /// Of a device's code: nobody has typed it in yet.
    case pending(slowDown: Bool)
    case unclear(String)

    /// - Parameter secrets: which the verdict does not tell, though the server may give them back.
    package static func of(_ answer: WebAnswer, now: Moment, hiding secrets: [Secret] = []) -> TokenVerdict {
        switch answer {
        case .failed(let words, sent: false): .notSent(words)
        case .failed(let words, sent: true): .unknown(words)
        case .reply(let reply): Self.of(reply, now, secrets)
        }
    }

    private static func of(_ reply: WebReply, _ now: Moment, _ secrets: [Secret]) -> TokenVerdict {
        let status = reply.status
        if status == 200 || status == 201, let tokens = IssuedTokens(reply, now: now.wall) { return .issued(tokens) }
        let retry = Patience.seconds(reply, now: now.wall)
        if (300..<400).contains(status) { return .redirected(Self.redirection(reply, secrets)) }
        let isBusy = [408, 425, 429].contains(status) || status >= 500
        guard var error = TokenError(reply) else {
            if isBusy { return .later("status \(status)", retryAfter: retry) }
            // A bare one is told by who knows no such path.
            if [404, 405, 410].contains(status) { return .moved("status \(status)") }
            let words = ForeignWords.of(reply, hiding: secrets)
            let said = reply.body.readableBytes == 0 ? ", without a body" : words.isEmpty ? "" : ": \(words)"
            return .page("status \(status)\(said)")
        }
        error.secrets = secrets
        let isPolling = ["slow_down", "authorization_pending"].contains(error.code)
        // Who is in trouble may say anything.
        if isBusy, !isPolling { return .later(error.words(status), retryAfter: retry) }
        // With this status it is about who asks (RFC 6749, 5.2): the official SDK's first generation has no other word for that.
        if status == 401, error.code == "unauthorized_client" { return .clientRefused(error.words(nil)) }
        if let known = Self.of(error, retry) { return known }
        if [404, 405, 410].contains(status) { return .moved(error.words(status)) }
        return .unclear(error.words(status))
    }

    /// Where it leads, without a query, which may be secret.
    private static func redirection(_ reply: WebReply, _ secrets: [Secret]) -> String {
        let target = reply.header("Location").map { location in
            ForeignWords.short(
                WebAddress(location)?.shown ?? String(location.prefix { $0 != "?" && $0 != "#" }), hiding: secrets)
        }
        return "status \(reply.status), to \(target ?? "nowhere")"
    }

    /// By its code, at whatever status.
    private static func of(_ error: TokenError, _ retry: Int?) -> TokenVerdict? {
        let words = error.words(nil)
        switch error.code {
        case "temporarily_unavailable", "server_error", "ratelimited", "internal_error", "service_unavailable":
            return .later(words, retryAfter: retry)
        case "slow_down": return .pending(slowDown: true)
        case "authorization_pending": return .pending(slowDown: false)
        case "invalid_grant", "bad_refresh_token", "invalid_refresh_token", "token_expired", "invalid_auth",
            "bad_verification_code", "invalid_code", "expired_token", "token_revoked":
            return .grantRefused(words)
        case "invalid_client", "incorrect_client_credentials", "bad_client_secret", "invalid_client_id":
            return .clientRefused(words)
        case "unauthorized_client", "unsupported_grant_type": return .grantUnsupported(words)
        case "invalid_scope": return .scopeRefused(words)
        case "invalid_target": return .resourceRefused(words)
        case "interaction_required", "login_required", "consent_required", "access_denied":
            return .interactionNeeded(words)
        default: return nil
        }
    }
}

/// An error as token endpoints write it: RFC 6749, 5.2, and what others make of that.
struct TokenError: Equatable {
    var code: String
    var description: String?
    /// What some add: `suberror`, `error_subtype`, the numbers of Entra.
    var detail: String?
    /// Which its words do not tell.
    var secrets: [Secret] = []

    /// With a status that says that it went well, only what stands where errors do is an error's: all else may be a token.
    ///
    /// - Returns: nil where it is none.
    init?(_ reply: WebReply) {
        let text = String(decoding: reply.body.readableBytesView, as: UTF8.self)
        if let json = try? JSONText(validating: reply.body), json.kind == .object {
            let error = json.value("error")
            if let code = error?.string {
                self.code = code
            } else if let code = error?.string("code") ?? error?.string("type") ?? error?.string("message") {
                self.code = code
            } else if !reply.isGood, let code = json.string("error_code") ?? json.string("code") {
                self.code = code
            } else if json.string("message") != nil || json.bool("ok") == false || json.count > 2 {
                self.code = ""
            } else {
                return nil
            }
            if !reply.isGood || error != nil {
                self.description = json.string("error_description") ?? error?.string("message")
            }
            if !reply.isGood { self.description = self.description ?? json.string("message") ?? json.string("msg") }
            self.detail = json.string("suberror") ?? json.string("error_subtype")
        } else if text.hasPrefix("error="), !text.contains("<") {
            let form = FormFields(text)
            self.code = form["error"] ?? ""
            self.description = form["error_description"]
        } else {
            return nil
        }
        // Entra tells by a number at the beginning of its text what is amiss.
        if self.description?.contains("AADSTS9010010") ?? false { self.code = "invalid_target" }
        if let detail, ["consent_required", "interaction_required"].contains(detail) { self.code = detail }
    }

    func words(_ status: Int?) -> String {
        let parts = [
            status.map { "status \($0)" }, self.code.isEmpty ? nil : self.short(self.code), self.detail.map(self.short),
        ].compactMap { $0 }
        let said = self.description.map { "\(parts.isEmpty ? "" : ": ")\(self.short($0))" } ?? ""
        return parts.joined(separator: ", ") + said
    }

    private func short(_ text: String) -> String { ForeignWords.short(text, hiding: self.secrets) }
}
