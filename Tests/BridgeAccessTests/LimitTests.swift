import Testing

@testable import BridgeAccess

@Suite("Limits in leases") struct LimitTests {
    private static let second: Int64 = 1_000_000

    @Test func `a full bucket gives all of it at once, and then one for each piece of time`() {
        let rate = TokenRate(60, per: .minute)
        var bucket = TokenBucket()
        let now = 1_000_000 * Self.second
        #expect(bucket.take(100, of: rate, now: now) == .lease(RateLease(from: now, until: now + 60 * Self.second)))
        #expect(bucket.take(1, of: rate, now: now) == .nothing(until: now + Self.second))
        #expect(
            bucket.take(5, of: rate, now: now + Self.second)
                == .lease(RateLease(from: now + 60 * Self.second, until: now + 61 * Self.second)))
    }

    @Test(arguments: [TokenRate(7, per: .minute), TokenRate(60, per: .minute), TokenRate(1_000, per: .second)])
    func `in no stretch of time is more let through, whoever takes leases and whenever they die`(rate: TokenRate) {
        var bucket = TokenBucket()
        var meters = [RateMeter(rate), RateMeter(rate)]
        var passed: [Int64] = []
        var now: Int64 = 1_700_000_000 * Self.second
        var random = SplitMix(state: 42)
        for step in 0..<20_000 {
            now += Int64(random.next() % UInt64(rate.width))
            // Two processes side by side; now and then one is killed, and the next one begins with nothing.
            let which = Int(random.next() % 2)
            if step % 97 == 0 { meters[which] = RateMeter(rate) }
            var verdict = meters[which].check(1, now: now)
            if verdict == .needsLease {
                meters[which].took(bucket.take(meters[which].leaseSize(for: 1), of: rate, now: now), for: 1)
                verdict = meters[which].check(1, now: now)
            }
            guard verdict == .granted else { continue }
            meters[which].spend(1, now: now)
            passed.append(now)
        }
        #expect(passed.count > rate.count)
        // Of any stretch: what the bucket holds, and what drops into it.
        for first in stride(from: 0, to: passed.count, by: 13) {
            for last in stride(from: first, to: passed.count, by: 17) {
                let allowed = Int64(rate.count) + (passed[last] - passed[first]) / rate.width + 1
                #expect(Int64(last - first + 1) <= allowed)
            }
        }
    }

    @Test func `what is not spent of a lease in time is lost`() {
        let rate = TokenRate(100, per: .second)
        var meter = RateMeter(rate)
        var bucket = TokenBucket()
        meter.took(bucket.take(10, of: rate, now: 0), for: 1)
        #expect(meter.check(1, now: 0) == .granted)
        #expect(meter.check(1, now: 200_000) == .needsLease)
        #expect(meter.check(101, now: 0) == .never)
    }

    @Test func `a clock that was set back makes nobody wait longer than an empty bucket would`() {
        let rate = TokenRate(60, per: .minute)
        var bucket = TokenBucket(spentUntil: 10_000 * Self.second)
        #expect(bucket.take(1, of: rate, now: 100 * Self.second) == .nothing(until: 101 * Self.second))
        #expect(
            bucket.take(1, of: rate, now: 101 * Self.second)
                == .lease(RateLease(from: 160 * Self.second, until: 161 * Self.second)))
        #expect(bucket.take(1, of: rate, now: 101 * Self.second) == .nothing(until: 102 * Self.second))
    }

    @Test func `a lease is theirs for whom it was taken, however late it comes and whatever the clock says then`() {
        let rate = TokenRate(1_000, per: .second)
        let now = 1_000 * Self.second
        var bucket = TokenBucket()
        var meter = RateMeter(rate)
        meter.took(bucket.take(10, of: rate, now: now), for: 1)
        #expect(meter.check(1, arrival: now, now: now + Self.second) == .granted)
        #expect(meter.check(1, now: now + Self.second) == .needsLease)
        #expect(meter.check(1, arrival: now + 3_600 * Self.second, now: now) == .granted)
    }

    @Test func `one that needs more of a day than is left leaves that to others`() {
        var meter = BudgetMeter(limit: 1_000)
        #expect(meter.check(600, day: 1) == .needsLease)
        #expect(meter.leaseSize(for: 600, day: 1) == 600 && meter.leastLease(for: 600, day: 1) == 600)
        meter.took(0, asked: 600, least: 600, day: 1)
        #expect(meter.check(600, day: 1) == .refused && meter.check(601, day: 1) == .refused)
        #expect(meter.check(5, day: 1) == .needsLease && meter.check(600, day: 2) == .needsLease)
        #expect(meter.leaseSize(for: 5, day: 1) == 10 && meter.leastLease(for: 5, day: 1) == 5)
        meter.took(7, asked: 10, least: 5, day: 1)
        #expect(meter.check(5, day: 1) == .granted)
        #expect(meter.check(8, day: 1) == .refused, "all that is left is here")
    }

    @Test func `what was used before anybody knew is paid, and overdraws a budget once`() {
        var meter = BudgetMeter(limit: 1_000)
        meter.took(10, asked: 10, day: 1)
        meter.spend(4)
        #expect(meter.use(5, day: 1) == false)
        #expect(meter.check(1, day: 1) == .granted)
        // More than the lease has: the rest is owed, and nothing is granted before it is written down.
        #expect(meter.use(21, day: 1) == true)
        #expect(meter.check(1, day: 1) == .needsLease)
        #expect(meter.leaseSize(for: 5, day: 1) == 25)
        meter.took(25, asked: 25, day: 1)
        #expect(meter.check(5, day: 1) == .granted)
        #expect(meter.check(6, day: 1) == .needsLease)
        // More than there is: nothing is left for this day, and all of the next.
        #expect(meter.use(5_000, day: 1) == true)
        meter.took(965, asked: 4_995, day: 1)
        #expect(meter.check(1, day: 1) == .refused)
        #expect(meter.use(7, day: 1) == false)
        #expect(meter.check(1, day: 2) == .needsLease)
        #expect(meter.leaseSize(for: 1, day: 2) == 10)
        meter.took(10, asked: 10, day: 2)
        #expect(meter.check(10, day: 2) == .granted)
    }

    @Test func `a budget is used to its end, in leases of a hundredth, and anew each day`() {
        var meter = BudgetMeter(limit: 250)
        var left = 250
        var used = 0
        while meter.check(1, day: 1) != .refused {
            if meter.check(1, day: 1) == .needsLease {
                let asked = meter.leaseSize(for: 1, day: 1)
                #expect(asked == 2)
                let granted = min(asked, left)
                left -= granted
                meter.took(granted, asked: asked, day: 1)
            } else {
                meter.spend(1)
                used += 1
            }
        }
        #expect(used == 250)
        #expect(meter.check(1, day: 2) == .needsLease)
    }

    @Test func `no more are under way at once than may be`() {
        var counts = Concurrency<String>()
        let begun = [("a", 2), ("a", 2), ("a", 2), ("b", 1)].map { counts.begin($0.0, most: $0.1) }
        #expect(begun == [true, true, false, true])
        counts.end("a")
        let again = counts.begin("a", most: 2)
        #expect(again && counts.count(of: "a") == 2)
    }

    private struct SplitMix {
        var state: UInt64
        mutating func next() -> UInt64 {
            self.state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = self.state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }
}
