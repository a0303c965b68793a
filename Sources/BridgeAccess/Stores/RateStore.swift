/// Keeps what has been taken of rates, for all processes that look.
package protocol RateStore: Sendable {
    /// Takes a piece of a rate (``TokenBucket/take(_:least:of:now:)``), by the time of day at which it is taken: who asked may
    /// have waited since. It is written when that is answered.
    ///
    /// - Parameter key: whose rate it is: a token's id, or a word that is none.
    func take(
        _ most: Int, least: Int, of rate: TokenRate, for key: String,
        _ answer: @escaping StoreAnswer<TokenBucket.Outcome>)
}
