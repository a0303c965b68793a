import NIOCore
import NIOEmbedded
import Testing

@testable import BridgeFront

@Suite("Payload budget") struct PayloadBudgetTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func slowest(_ readers: [(name: String, octets: Int, age: TimeAmount)]) -> String? {
        var slowest = SlowestReader<String>()
        for reader in readers {
            slowest.consider(reader.name, octets: reader.octets, since: Self.start - reader.age, now: Self.start)
        }
        return slowest.reader
    }

    @Test func `nobody is chosen of nobody`() { #expect(Self.slowest([]) == nil) }

    @Test func `who reads nothing goes before who reads slowly`() {
        #expect(
            Self.slowest([
                ("slow", 100_000, .seconds(20)), ("dead", 0, .seconds(5)), ("fast", 50_000_000, .seconds(5)),
            ]) == "dead")
        #expect(Self.slowest([("slow", 100_000, .seconds(20)), ("fast", 50_000_000, .seconds(5))]) == "slow")
    }

    @Test func `of two that read nothing the one that has waited longer goes`() {
        #expect(Self.slowest([("later", 0, .seconds(5)), ("earlier", 0, .seconds(6))]) == "earlier")
        #expect(Self.slowest([("earlier", 0, .seconds(6)), ("later", 0, .seconds(5))]) == "earlier")
    }

    @Test func `who has had no time to read is spared while there is another`() {
        #expect(Self.slowest([("new", 0, .milliseconds(10)), ("old", 50_000_000, .seconds(5))]) == "old")
        #expect(Self.slowest([("old", 50_000_000, .seconds(5)), ("new", 0, .milliseconds(10))]) == "old")
        #expect(Self.slowest([("new", 0, .milliseconds(10)), ("newer", 0, .milliseconds(5))]) == "new")
    }

    @Test func `an answer counts until the channel has sent it`() {
        let loop = EmbeddedEventLoop()
        let budget = PayloadBudget(limit: 100_000)
        let account = PayloadAccount(budget)
        let promise = account.holdWritten(60_000, promise: nil, on: loop)
        #expect(budget.answers == 60_000)
        #expect(account.written == 60_000)
        promise?.succeed()
        #expect(budget.answers == 0)
        #expect(account.holdWritten(100, promise: nil, on: loop) == nil)
        #expect(budget.answers == 0)
    }

    @Test func `room is asked for when answers come to more than the limit`() {
        let budget = PayloadBudget(limit: 100_000)
        let first = PayloadAccount(budget)
        let second = PayloadAccount(budget)
        var asked = 0
        budget.onExcess = {
            asked += 1
            first.close()
        }
        first.holdAnswer(60_000)
        second.holdAnswer(40_000)
        #expect(asked == 0)
        second.holdAnswer(20_000)
        #expect(asked == 1)
        #expect(budget.answers == 60_000)
        first.releaseAnswer(60_000)
        #expect(budget.answers == 60_000)
        second.releaseAnswer(40_000)
        second.releaseAnswer(20_000)
        #expect(budget.answers == 0)
    }
}
