/// Keeps tokens. Everything is answered later, and nobody waits in it.
package protocol TokenStore: Sendable {
    /// All tokens there are, the revoked ones included.
    func tokens(_ answer: @escaping StoreAnswer<TokenStock>)

    /// Adds a token, or puts it in the place of the one with the same id. It is on the disk when that is answered. What has been
    /// revoked stays so, whatever is put in its place.
    ///
    /// - Parameter revision: of the tokens that this was decided by. Where there is another one, nothing is written.
    func put(_ token: Token, over revision: Int, _ answer: @escaping StoreAnswer<TokenChange>)

    /// Ends a token, whatever else has become of it. It is on the disk when that is answered: with the revision that it has
    /// made.
    ///
    /// - Parameter time: seconds since 1970. Of several, the earliest counts.
    func revoke(_ token: TokenID, at time: Int, _ answer: @escaping StoreAnswer<Int>)

    /// Which revision there is. Another process may have made it.
    func revision(_ answer: @escaping StoreAnswer<Int>)
}

/// What has become of a change of tokens.
package enum TokenChange: Sendable, Hashable {
    /// With the revision that it has made.
    case written(Int)
    /// Somebody else has changed something before: it is to be decided anew.
    case outdated
}

/// The tokens of one revision: each change of one makes a new one.
package struct TokenStock: Sendable {
    package var tokens: [Token]
    package var revision: Int

    package init(tokens: [Token], revision: Int) {
        self.tokens = tokens
        self.revision = revision
    }
}
