/// How such a command is answered.
package enum AccessReply: Sendable, Codable, Equatable {
    /// A token with a new secret, which nothing keeps: this is the one time that it is told.
    ///
    /// - `rule`: who needs a token where it is good, in the configuration's word; `nil` where nobody knows.
    case issued(TokenReport, secret: String, rule: String?)
    case tokens([TokenReport])
    case token(TokenReport)
    case usage([UsageReport])
    case audit([AuditReport], last: Int)
    /// Not done. The word is a program's, the text is for people.
    case refused(word: String, text: String)

    package static func refused(_ trouble: StoreTrouble) -> AccessReply {
        .refused(word: "store_\(trouble.kind.rawValue)", text: trouble.description)
    }

    /// A token is revoked where it is used, and that is not written down.
    static func unwritten(revocationOf token: Token, _ trouble: StoreTrouble) -> AccessReply {
        .refused(
            word: "store_\(trouble.kind.rawValue)",
            text:
                "\(token.id) (\(token.name)) is revoked: nobody is let in by it any more. But that is not written yet. The "
                + "service goes on trying; if it ends before, revoke it once more. \(trouble)")
    }

    /// The tokens are others each time that it is decided.
    package static let tooBusy = AccessReply.refused(
        word: "store_\(StoreTrouble.Kind.busy.rawValue)",
        text: "Others change tokens at the same time, and nothing has been done. Try again.")
}
