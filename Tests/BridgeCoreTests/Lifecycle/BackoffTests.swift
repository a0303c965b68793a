import Testing

@testable import BridgeCore

@Suite("Backoff") struct BackoffTests {
    private static func standard() -> Backoff { Backoff(base: .seconds(1), maximum: .seconds(60)) }

    /// After this many failures.
    private static func delay(after failures: Int, draw: Double) -> Duration {
        var backoff = Self.standard()
        for _ in 0..<failures { _ = backoff.failed(draw: 0) }
        return backoff.failed(draw: draw)
    }

    @Test(arguments: [
        (0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 32), (6, 60), (7, 60), (20, 60), (21, 60), (63, 60), (1_000, 60),
    ])
    func `a delay is drawn from the upper half of a ceiling that doubles up to the maximum`(failures: Int, ceiling: Int)
    {
        #expect(Self.delay(after: failures, draw: 0) == .seconds(ceiling) / 2)
        #expect(Self.delay(after: failures, draw: 0.5) == .seconds(ceiling) * 0.75)
        #expect(Self.delay(after: failures, draw: 1) == .seconds(ceiling))
    }

    @Test(arguments: [(-1.0, 0.5), (-0.0, 0.5), (1.5, 1.0)])
    func `a draw outside its range leaves the range of the delay alone`(draw: Double, share: Double) {
        #expect(Self.delay(after: 1, draw: draw) == .seconds(2) * share)
    }

    @Test func `ten good seconds forgive everything, a nanosecond less forgives nothing`() {
        var backoff = Self.standard()
        for _ in 0..<4 { _ = backoff.failed(draw: 1) }
        let almost = backoff.failed(afterGood: .seconds(10) - .nanoseconds(1), draw: 1)
        #expect(almost == .seconds(16))
        #expect(backoff.failures == 5)
        let good = backoff.failed(afterGood: .seconds(10), draw: 1)
        #expect(good == .seconds(1))
        #expect(backoff.failures == 1, "the failure itself counts")
        backoff.forgive()
        #expect(backoff.failures == 0)
    }

    @Test func `good times do not add up`() {
        var backoff = Self.standard()
        let delays = (0..<5).map { _ in backoff.failed(afterGood: .seconds(9), draw: 1) }
        #expect(delays == [1, 2, 4, 8, 16].map { .seconds($0) })
    }

    @Test func `a maximum below the base is the delay from the first`() {
        var backoff = Backoff(base: .seconds(5), maximum: .seconds(2))
        #expect(backoff.failed(draw: 1) == .seconds(2))
    }
}
