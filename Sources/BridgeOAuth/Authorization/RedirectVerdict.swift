package import BridgeConfiguration
import BridgeCore

/// What a redirect is worth. The code in it leaves for nobody before that is decided.
package enum RedirectVerdict: Equatable {
    case code(Secret, SignInAttempt)
    /// The sign-in is over.
    case refused(String, SignInAttempt, error: String?)
    /// It belongs to no sign-in that waits: whoever sent it, nothing ends by it.
    case unknown(String)

    static let usedWords = "the address of this sign-in has been used already: it is good for one time"

    /// - Parameter metadata: of an issuer; nil where nothing is known of it.
    static func of(
        _ fields: FormFields, attempts: [SignInAttempt], metadata: (String) -> ServerMetadata?, now: Double
    ) -> RedirectVerdict {
        guard let state = fields["state"], !state.isEmpty else {
            return .unknown("the address has no 'state', so it is not known to which sign-in it belongs")
        }
        guard fields.all.filter({ $0.name == "state" || $0.name == "code" }).count <= 2,
            let attempt = attempts.first(where: { Self.equal($0.state, state) })
        else {
            return .unknown(
                "no sign-in of that 'state' waits: it is over, or has been used, or another has begun since")
        }
        guard !attempt.isUsed else { return .unknown(Self.usedWords) }
        guard !attempt.isOver(at: now) else {
            return .unknown("the sign-in has waited for longer than 10 minutes: begin another")
        }
        if let words = Self.wrongIssuer(fields["iss"], attempt, metadata(attempt.issuer)) {
            return .refused(words, attempt, error: nil)
        }
        if let error = fields["error"] {
            let secrets = [Secret(attempt.state), attempt.verifier] + (fields["code"].map { [Secret($0)] } ?? [])
            let said = fields["error_description"].map { ": \(ForeignWords.short($0, hiding: secrets))" } ?? ""
            let word = ForeignWords.short(error, hiding: secrets)
            return .refused("the sign-in was refused (\(word)\(said))", attempt, error: error)
        }
        guard let code = fields["code"], !code.isEmpty else {
            return .refused("the address has neither a 'code' nor an 'error'", attempt, error: nil)
        }
        return .code(Secret(code), attempt)
    }

    /// RFC 9207, as 2026-07-28 has it: an issuer that is there must be the recorded one; one that is missing is refused only
    /// where it was promised.
    private static func wrongIssuer(_ issuer: String?, _ attempt: SignInAttempt, _ metadata: ServerMetadata?) -> String?
    {
        if let issuer {
            let recorded = metadata?.issuer ?? attempt.issuer
            if issuer == recorded || issuer == attempt.issuer { return nil }
            return
                "the server's own sign-in page belongs to another issuer: it says '\(ForeignWords.short(issuer))', and the "
                + "sign-in was begun with '\(recorded)'. The code is sent to nobody"
        }
        guard metadata?.sendsIssuer ?? false else { return nil }
        return "the redirect has no 'iss', though \(attempt.issuer) says that it sends one. The code is sent to nobody"
    }

    /// In the same time for each wrong one of that length.
    private static func equal(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
