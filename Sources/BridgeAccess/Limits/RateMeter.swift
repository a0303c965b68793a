/// Decides whether something may be done now, by a rate that is taken of in leases.
///
/// Pure: what it needs is asked of the ``RateStore`` by whoever owns it.
package struct RateMeter: Sendable {
    package enum Verdict: Sendable, Hashable {
        case granted
        /// A lease has to be taken first; then it is asked again.
        case needsLease
        /// Not before this moment, in microseconds since 1970.
        case refused(until: Int64)
        /// More at once than is ever granted.
        case never
    }

    package let rate: TokenRate
    private var lease: RateLease?
    /// There is nothing before this moment for so many.
    private var nothing: (until: Int64, count: Int)?

    package init(_ rate: TokenRate) { self.rate = rate }

    /// Whether so many may be done at this moment. It is for ``spend(_:now:)`` to count them.
    ///
    /// - Parameter arrival: when they were asked for, where that was before: a lease that was taken for them is theirs, however
    ///   long the store was about it.
    package func check(_ count: Int, arrival: Int64? = nil, now: Int64) -> Verdict {
        guard count <= self.rate.count else { return .never }
        if self.lease?.has(count, of: self.rate, now: min(arrival ?? now, now)) == true { return .granted }
        // A clock that was set back makes nobody wait longer than an empty bucket would.
        if let nothing, count >= nothing.count, now < nothing.until, nothing.until - now <= self.rate.burst {
            return .refused(until: nothing.until)
        }
        return .needsLease
    }

    package mutating func spend(_ count: Int, now: Int64) {
        self.lease?.spend(count, of: self.rate, now: now)
    }

    /// How much to take for so many: a hundredth of what may be done at once, and at least as many.
    package func leaseSize(for count: Int) -> Int { max(count, self.rate.count / 100) }

    package mutating func took(_ outcome: TokenBucket.Outcome, for count: Int) {
        switch outcome {
        case .lease(let lease):
            self.lease = lease
            self.nothing = nil
        case .nothing(let until): self.nothing = (until, count)
        }
    }

    /// How many more there may be at this moment, as far as this process knows.
    package func left(now: Int64) -> Int {
        let spent = max(self.lease?.from ?? now, now)
        return max(0, Int((now + self.rate.burst - spent) / self.rate.width))
    }

    /// When all of them may be done again, in seconds from this moment.
    package func reset(now: Int64) -> Int {
        let spent = max(self.lease?.from ?? now, now)
        return Int((spent - now + 999_999) / 1_000_000)
    }
}
