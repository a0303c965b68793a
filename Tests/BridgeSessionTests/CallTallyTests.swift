import BridgeCore
import NIOCore
import Testing

@testable import BridgeSession

@Suite("Tally of an upstream's calls") struct CallTallyTests {
    private static func text(_ tally: CallTally) -> JSONText { JSONWriter.object { tally.write(to: &$0) } }

    @Test func `answers are counted by how soon they came, and the rest by its word`() {
        var tally = CallTally()
        tally.count(.result, after: .microseconds(900))
        tally.count(.result, after: .milliseconds(7))
        tally.count(.error, after: .milliseconds(10))
        tally.count(.result, after: .minutes(5))
        tally.count(.fault("timeout"), after: .minutes(5))
        tally.count(.fault("timeout"), after: .minutes(5))
        tally.count(.cancelled, after: .zero)
        let text = Self.text(tally)
        #expect(text.value("outcomes")?.description == #"{"result":3,"error":1,"cancelled":1,"timeout":2}"#)
        #expect(text.int("answers") == 4)
        #expect(text.int("microseconds") == 300_017_900)
        let within = text.value("within")
        #expect(within?.int("0.001") == 1 && within?.int("0.01") == 2 && within?.int("0.02") == 3)
        #expect(within?.int("60") == 3)
    }

    @Test func `bounds are told in seconds`() {
        #expect(
            [1, 20, 500, 1_000, 2_500, 60_000].map(CallTally.seconds) == ["0.001", "0.02", "0.5", "1", "2.5", "60"])
        #expect(CallTally.bounds == CallTally.bounds.sorted())
    }
}
