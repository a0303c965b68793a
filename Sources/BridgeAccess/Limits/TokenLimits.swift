/// What a token may use. What is `nil` has no limit of the token's own.
package struct TokenLimits: Sendable, Hashable {
    package var rate: TokenRate?
    /// Requests under way at the same time.
    package var concurrency: Int?
    package var budget: TokenBudget?

    package static let none = TokenLimits()

    package init(rate: TokenRate? = nil, concurrency: Int? = nil, budget: TokenBudget? = nil) {
        self.rate = rate
        self.concurrency = concurrency
        self.budget = budget
    }

    package static func concurrency(_ text: String) throws(AccessProblem) -> Int {
        guard let count = Int(text), (1...1_000_000).contains(count) else {
            throw AccessProblem("`\(text)` is no number of requests at the same time. Write a number from 1.")
        }
        return count
    }
}
