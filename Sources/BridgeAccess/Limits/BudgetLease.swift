/// A part of a day's budget that a process has taken of its store, to use on that day (of UTC, counted from 1970). A process
/// that is killed loses what it had not used of it.
package struct BudgetLease: Sendable, Hashable {
    package let day: Int
    package private(set) var left: Int

    package init(day: Int, left: Int) {
        self.day = day
        self.left = left
    }

    /// How much is taken at once: a hundredth of the limit, and at least one.
    package static func size(of limit: Int) -> Int { max(1, limit / 100) }

    package func has(_ amount: Int, day: Int) -> Bool { day == self.day && amount <= self.left }

    /// Uses so much; only where it has it.
    package mutating func spend(_ amount: Int) { self.left -= amount }
}
