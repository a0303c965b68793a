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

    package static func of(_ answer: WebAnswer, now: Moment) -> TokenVerdict {
        switch answer {
        case .failed(let words, sent: false): .notSent(words)
        case .failed(let words, sent: true): .unknown(words)
        case .reply(let reply): Self.of(reply, now)
        }
    }

    private static func of(_ reply: WebReply, _ now: Moment) -> TokenVerdict {
        let status = reply.status
        let isGood = status == 200 || status == 201
        if isGood, let tokens = IssuedTokens(reply, now: now.wall) { return .issued(tokens) }
        let retry = Patience.seconds(reply, now: now.wall)
        if (300..<400).contains(status) {
            let target = reply.header("Location").map { ForeignWords.short(WebAddress($0)?.shown ?? $0) }
            return .redirected("status \(status), to \(target ?? "nowhere")")
        }
        let isBusy = [408, 425, 429].contains(status) || status >= 500
        guard let error = TokenError(reply) else {
            if isBusy { return .later("status \(status)", retryAfter: retry) }
            // A bare one is told by who knows no such path.
            if [404, 405, 410].contains(status) { return .moved("status \(status)") }
            let words = ForeignWords.of(reply.body)
            return .page("status \(status)\(words.isEmpty ? ", without a body" : ": \(words)")")
        }
        let isPolling = ["slow_down", "authorization_pending"].contains(error.code)
        // Who is in trouble may say anything.
        if isBusy, !isPolling { return .later(error.words(status), retryAfter: retry) }
        // With this status it is about who asks (RFC 6749, 5.2): the official SDK's first generation has no other word for that.
        if status == 401, error.code == "unauthorized_client" { return .clientRefused(error.words(nil)) }
        if let known = Self.of(error, retry) { return known }
        if [404, 405, 410].contains(status) { return .moved(error.words(status)) }
        return .unclear(error.words(status))
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

    /// - Returns: nil where it is none.
    init?(_ reply: WebReply) {
        let text = String(decoding: reply.body.readableBytesView, as: UTF8.self)
        if let json = try? JSONText(validating: reply.body), json.kind == .object {
            let error = json.value("error")
            if let code = error?.string {
                self.code = code
            } else if let code = error?.string("code") ?? error?.string("type") ?? error?.string("message") {
                self.code = code
            } else if let code = json.string("error_code") ?? json.string("code") {
                self.code = code
            } else if json.string("message") != nil || json.bool("ok") == false || json.count > 2 {
                self.code = ""
            } else {
                return nil
            }
            self.description =
                json.string("error_description") ?? error?.string("message") ?? json.string("message")
                ?? json.string("msg")
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
            status.map { "status \($0)" }, self.code.isEmpty ? nil : ForeignWords.short(self.code),
            self.detail.map(ForeignWords.short),
        ].compactMap { $0 }
        let said = self.description.map { "\(parts.isEmpty ? "" : ": ")\(ForeignWords.short($0))" } ?? ""
        return parts.joined(separator: ", ") + said
    }
}
