/// What is left of a rate: a bucket that is full of permissions at first, and into which one drops with each ``TokenRate/width``.
///
/// It is kept as one moment: until when the time to come is spent. Whoever wants a permission takes the next piece of time,
/// as wide as the rate says, and it must not lie further ahead than a full bucket reaches. In no stretch of time are then
/// more taken than the rate allows and the bucket holds.
///
/// Pure: times are microseconds since 1970, and come in. What is taken is written down before it is used, in pieces: see
/// ``RateLease``.
package struct TokenBucket: Sendable, Hashable {
    package private(set) var spentUntil: Int64

    package init(spentUntil: Int64 = 0) { self.spentUntil = spentUntil }

    package enum Outcome: Sendable, Hashable {
        case lease(RateLease)
        /// Nothing is left before this moment.
        case nothing(until: Int64)
    }

    /// Takes as much as there is, up to so many, and at least so many. Also where there is nothing, what is spent may be less
    /// afterwards: a clock that was set back leaves no more than an empty bucket behind, and it fills from then on.
    ///
    /// - Parameter least: not above `most`.
    package mutating func take(_ most: Int, least: Int = 1, of rate: TokenRate, now: Int64) -> Outcome {
        self.spentUntil = min(self.spentUntil, now + rate.burst)
        let start = max(self.spentUntil, now)
        let room = Int((now + rate.burst - start) / rate.width)
        guard room >= least else {
            return .nothing(until: start + Int64(least) * rate.width - rate.burst)
        }
        let end = start + Int64(min(room, most)) * rate.width
        self.spentUntil = end
        return .lease(RateLease(from: start, until: end))
    }
}

/// A piece of the time of a ``TokenBucket``, for one process to spend. What it does not spend in time is lost, so that
/// nothing is saved up beside the bucket.
package struct RateLease: Sendable, Hashable {
    /// Up to where it is spent.
    package private(set) var from: Int64
    package let until: Int64

    package init(from: Int64, until: Int64) {
        self.from = from
        self.until = until
    }

    /// Whether so many are left at this moment.
    package func has(_ count: Int, of rate: TokenRate, now: Int64) -> Bool {
        max(self.from, now) + Int64(count) * rate.width <= self.until
    }

    /// Spends so many; only where it has them.
    package mutating func spend(_ count: Int, of rate: TokenRate, now: Int64) {
        self.from = max(self.from, now) + Int64(count) * rate.width
    }
}
