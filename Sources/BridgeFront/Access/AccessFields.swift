import BridgeCore
import NIOCore

/// What an answer says in its head of the token that it was asked with.
struct AccessFields {
    /// What the token's rate lets through, what of it is left, and when all of it is there again, in seconds.
    var rate: (limit: Int, left: Int, reset: Int)?
    /// When it expires, in its last day only; seconds since 1970.
    var expires: Int?

    static let lastDay = 86_400

    var isEmpty: Bool { self.rate == nil && self.expires == nil }

    func forEach(_ body: (_ name: String, _ value: String) -> Void) {
        if let rate {
            body("x-ratelimit-limit", "\(rate.limit)")
            body("x-ratelimit-remaining", "\(rate.left)")
            body("x-ratelimit-reset", "\(rate.reset)")
        }
        if let expires { body("X-MCP-Token-Expires", UTCTime(seconds: expires).text()) }
    }
}
