/// How much a token may use in a day of UTC: `100000tokens/day`, `500requests/day`.
package struct TokenBudget: Sendable, Hashable, CustomStringConvertible {
    package enum Unit: String, Sendable, Hashable, CaseIterable {
        /// Of models, in and out.
        case tokens
        /// Of any kind.
        case requests
    }

    /// At least 1.
    package let amount: Int
    package let unit: Unit

    package init(_ amount: Int, _ unit: Unit) {
        self.amount = max(1, amount)
        self.unit = unit
    }

    package init(_ text: String) throws(AccessProblem) {
        let problem = AccessProblem(
            "`\(text)` is no budget. Write a number and one of tokens/day, requests/day, such as 100000tokens/day.")
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].trimmed == "day" else { throw problem }
        let digits = parts[0].trimmed.prefix { $0.isASCII && $0.isNumber }
        let unit = parts[0].trimmed.dropFirst(digits.count).trimmed
        guard let amount = Int(digits), (1...1_000_000_000_000).contains(amount),
            let unit = Unit(rawValue: String(unit))
        else { throw problem }
        self.init(amount, unit)
    }

    package var description: String { "\(self.amount)\(self.unit.rawValue)/day" }
}
