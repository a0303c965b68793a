/// Keeps audit rows.
package protocol AuditStore: Sendable {
    /// Adds rows, all or none of them.
    func append(_ rows: [AuditRow], _ answer: @escaping StoreAnswer<Void>)

    /// Rows that a query asks for, the oldest first.
    func rows(_ query: AuditQuery, _ answer: @escaping StoreAnswer<AuditPage>)

    /// What tokens have used since a time in milliseconds since 1970; of one token, or of all.
    func usage(since time: Int, of token: TokenID?, _ answer: @escaping StoreAnswer<[TokenUsage]>)

    /// Forgets rows that are older than a time in milliseconds since 1970.
    func prune(before time: Int, _ answer: @escaping StoreAnswer<Void>)
}

package typealias AccessStore = TokenStore & BudgetStore & RateStore & AuditStore
