/// Keeps tokens. Everything is answered later, and nobody waits in it.
package protocol TokenStore: Sendable {
    /// All tokens there are, the revoked ones included.
    func tokens(_ answer: @escaping StoreAnswer<[Token]>)

    /// Adds a token, or puts it in the place of the one with the same id. It is on the disk when that is answered.
    func put(_ token: Token, _ answer: @escaping StoreAnswer<Void>)
}
