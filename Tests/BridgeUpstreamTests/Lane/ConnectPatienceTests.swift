import BridgeConfiguration
import Testing

@testable import BridgeUpstream

@Suite("How long a start may take") struct ConnectPatienceTests {
    @Test func `twice as long after each that was too slow, up to five minutes, until one succeeds`() {
        var patience = ConnectPatience()
        let timeouts = UpstreamTimeouts(connect: 30)
        var limits: [Double] = []
        var words: [String] = []
        for _ in 0..<6 {
            limits.append(patience.limit(timeouts).rawValue)
            words.append(patience.exceeded(timeouts))
        }
        #expect(limits == [30, 60, 120, 240, 300, 300])
        #expect(
            words.first == "it did not answer initialize within 30 s (timeouts.connect); the next start gets 60 s")
        #expect(words.last == "it did not answer initialize within 300 s (timeouts.connect)")
        patience.connected()
        #expect(patience.limit(timeouts) == 30)
    }

    @Test(arguments: [(2.0, true), (600.0, false), (300.0, false)])
    func `as the entry says it, and never less than the setting`(seconds: Double, isFixed: Bool) {
        var timeouts = UpstreamTimeouts(connect: Seconds(seconds))
        timeouts.isConnectFixed = isFixed
        var patience = ConnectPatience()
        for _ in 0..<5 {
            let words = patience.exceeded(timeouts)
            #expect(!words.contains("next start"))
        }
        #expect(patience.limit(timeouts).rawValue == seconds)
    }
}
