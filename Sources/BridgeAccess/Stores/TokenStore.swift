/// Keeps tokens. Everything is answered later, and nobody waits in it.
package protocol TokenStore: Sendable {
    /// All tokens there are, the revoked ones included.
    func tokens(_ answer: @escaping StoreAnswer<TokenStock>)

    /// Adds a token, or puts it in the place of the one with the same id. It is on the disk when that is answered: with the
    /// revision that it has made.
    func put(_ token: Token, _ answer: @escaping StoreAnswer<Int>)

    /// Which revision there is. Another process may have made it.
    func revision(_ answer: @escaping StoreAnswer<Int>)
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
