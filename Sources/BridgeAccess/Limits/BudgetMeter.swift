/// Decides whether something may be used today, by a budget that is taken of in leases. Pure, as ``RateMeter`` is.
package struct BudgetMeter: Sendable {
    package enum Verdict: Sendable, Hashable {
        case granted
        case needsLease
        /// Nothing is left for this day.
        case refused
    }

    package let limit: Int
    private var lease: BudgetLease?
    /// Of this day less than so much is left in the store.
    private var short: (of: Int, day: Int)?
    /// What was used on a day beyond what the lease had.
    private var owed: (amount: Int, day: Int)?

    package init(limit: Int) { self.limit = limit }

    package func check(_ amount: Int, day: Int) -> Verdict {
        let isOwing = self.owed(on: day) > 0
        if !isOwing, self.lease?.has(amount, day: day) == true { return .granted }
        guard let short, short.day == day else { return .needsLease }
        return self.needed(for: amount, day: day) >= short.of ? .refused : .needsLease
    }

    package mutating func spend(_ amount: Int) { self.lease?.spend(amount) }

    /// Counts what has been used already, however much that is: nobody could know it before. What the lease does not have of it
    /// is owed, and paid of the next one; a budget may be overdrawn by as much, once.
    ///
    /// - Returns: whether a lease is to be taken now, so that it is written down.
    package mutating func use(_ amount: Int, day: Int) -> Bool {
        let held = self.held(on: day)
        if held > 0 { self.lease?.spend(min(held, amount)) }
        let rest = amount - min(held, amount)
        guard rest > 0, !self.isEmpty(on: day) else { return false }
        self.owed = (self.owed(on: day) + rest, day)
        return true
    }

    /// How much to take so that there is so much.
    package func leaseSize(for amount: Int, day: Int) -> Int {
        max(BudgetLease.size(of: self.limit), self.needed(for: amount, day: day))
    }

    /// Less than this is of no use for so much. But what is owed is paid with whatever there is.
    package func leastLease(for amount: Int, day: Int) -> Int {
        self.owed(on: day) > 0 ? 1 : max(1, self.needed(for: amount, day: day))
    }

    /// So much was taken for a day. What there was of it is kept.
    ///
    /// - Parameter least: how much it was to be at least: where there was less, nothing was taken.
    package mutating func took(_ amount: Int, asked: Int, least: Int = 1, day: Int) {
        if amount < asked { self.short = (amount < least ? least : 1, day) }
        guard amount >= least || least == 1 else { return }
        let owed = self.owed(on: day)
        let left = self.held(on: day) + amount
        self.lease = BudgetLease(day: day, left: max(0, left - owed))
        self.owed = owed > left && amount == asked ? (owed - left, day) : nil
    }

    /// What is to be given back when the process ends, and of which day.
    package mutating func takeRest() -> (amount: Int, day: Int)? {
        defer { self.lease = nil }
        return self.lease.flatMap { $0.left > 0 ? ($0.left, $0.day) : nil }
    }

    /// How much is missing of so much.
    private func needed(for amount: Int, day: Int) -> Int { amount + self.owed(on: day) - self.held(on: day) }

    private func isEmpty(on day: Int) -> Bool { self.short.map { $0.day == day && $0.of <= 1 } ?? false }

    private func held(on day: Int) -> Int { self.lease.map { $0.day == day ? $0.left : 0 } ?? 0 }

    private func owed(on day: Int) -> Int { self.owed.map { $0.day == day ? $0.amount : 0 } ?? 0 }
}
