/// Counts what tokens have used of their budgets, for all processes that look.
package protocol BudgetStore: Sendable {
    /// Takes up to so much from what is left of a day's budget. It is written when that is answered: what was taken and then
    /// is not used, because its process has ended, is lost, and never used twice.
    ///
    /// - Parameters:
    ///   - day: of UTC, counted from 1 January 1970.
    ///   - limit: the whole budget of that day.
    ///   - least: where less than this is left, nothing is taken of it: others may have use for it. At least 1, and not above
    ///     `amount`.
    ///   - answer: how much of it was granted: `amount`, or the rest where that is less, or nothing.
    func take(
        _ amount: Int, least: Int, of token: TokenID, day: Int, limit: Int, _ answer: @escaping StoreAnswer<Int>)

    /// Gives back what was taken of a day's budget and not used.
    func giveBack(_ amount: Int, of token: TokenID, day: Int, _ answer: @escaping StoreAnswer<Void>)

    /// What has been taken of a day's budgets, by token.
    func taken(day: Int, _ answer: @escaping StoreAnswer<[TokenID: Int]>)
}
