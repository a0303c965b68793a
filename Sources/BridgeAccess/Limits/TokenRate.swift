/// How many requests a token may make in a time: `60/min`. The whole number may come at once, and is given back evenly.
package struct TokenRate: Sendable, Hashable, CustomStringConvertible {
    package enum Period: String, Sendable, Hashable, CaseIterable {
        case second = "s"
        case minute = "min"
        case hour = "h"
        case day = "day"

        package var seconds: Int {
            switch self {
            case .second: 1
            case .minute: 60
            case .hour: 3_600
            case .day: 86_400
            }
        }
    }

    /// At least 1.
    package let count: Int
    package let period: Period

    package init(_ count: Int, per period: Period) {
        self.count = max(1, count)
        self.period = period
    }

    package init(_ text: String) throws(AccessProblem) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(\.trimmed)
        guard parts.count == 2, let count = Int(parts[0]), (1...1_000_000_000).contains(count),
            let period = Period(rawValue: String(parts[1]))
        else {
            throw AccessProblem("`\(text)` is no rate. Write a number and one of /s, /min, /h, /day, such as 60/min.")
        }
        self.init(count, per: period)
    }

    package var description: String { "\(self.count)/\(self.period.rawValue)" }
}
