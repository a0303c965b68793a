/// Keeps what has been taken of rates, for all processes that look.
package protocol RateStore: Sendable {
    /// Takes a piece of a rate (``TokenBucket/take(_:least:of:now:)``). It is written when that is answered.
    ///
    /// - Parameters:
    ///   - key: whose rate it is: a token's id, or a word that is none.
    ///   - now: microseconds since 1970.
    func take(
        _ most: Int, least: Int, of rate: TokenRate, for key: String, now: Int64,
        _ answer: @escaping StoreAnswer<TokenBucket.Outcome>)
}
