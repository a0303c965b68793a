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
}
