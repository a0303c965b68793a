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
    /// Of this day nothing is left in the store.
    private var emptyDay: Int?

    package init(limit: Int) { self.limit = limit }

    package func check(_ amount: Int, day: Int) -> Verdict {
        if self.lease?.has(amount, day: day) == true { return .granted }
        return self.emptyDay == day ? .refused : .needsLease
    }

    package mutating func spend(_ amount: Int) { self.lease?.spend(amount) }

    /// How much to take so that there is so much.
    package func leaseSize(for amount: Int, day: Int) -> Int {
        let held = self.lease.map { $0.day == day ? $0.left : 0 } ?? 0
        return max(BudgetLease.size(of: self.limit), amount - held)
    }

    /// So much was taken for a day. What there was of it is kept.
    package mutating func took(_ amount: Int, asked: Int, day: Int) {
        let held = self.lease.map { $0.day == day ? $0.left : 0 } ?? 0
        self.lease = BudgetLease(day: day, left: held + amount)
        if amount < asked { self.emptyDay = day }
    }

    /// What is to be given back when the process ends, and of which day.
    package mutating func takeRest() -> (amount: Int, day: Int)? {
        defer { self.lease = nil }
        return self.lease.flatMap { $0.left > 0 ? ($0.left, $0.day) : nil }
    }
}
