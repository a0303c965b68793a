import Testing

@testable import BridgeFront

@Suite("Shares of descriptors") struct DescriptorShareTests {
    private static let wanted = [1, 2, 10, 64, 100, 1_000, 4_096, 60_000, 1_000_000]

    @Test(arguments: Self.wanted)
    func `served, refused and our own never come to more than the limit`(wanted: Int) {
        for limit in 64...65_536 {
            let share = DescriptorShare(limit: limit, wanted: wanted)
            let own = min(DescriptorShare.own, limit / 2)
            guard share.connections + share.refused + own <= limit, share.connections >= 1, share.refused >= 1,
                share.connections <= wanted, share.refused <= DescriptorShare.mostRefused
            else {
                Issue.record("limit \(limit): \(share)")
                return
            }
        }
    }

    @Test(arguments: Self.wanted)
    func `a higher limit never serves fewer`(wanted: Int) {
        var last = 0
        for limit in 1...65_536 {
            let connections = DescriptorShare(limit: limit, wanted: wanted).connections
            guard connections >= last else {
                Issue.record("limit \(limit): \(connections) after \(last)")
                return
            }
            last = connections
        }
    }

    @Test func `what is wanted is served as soon as there is room for it and for those that are refused`() {
        #expect(DescriptorShare(limit: 4_400, wanted: 4_096) == .init(limit: 65_536, wanted: 4_096))
        #expect(DescriptorShare(limit: 65_536, wanted: 4_096).connections == 4_096)
        #expect(DescriptorShare(limit: 65_536, wanted: 4_096).refused == 256)
        #expect(DescriptorShare(limit: 1_024, wanted: 4_096).connections == 854)
        #expect(DescriptorShare(limit: 128, wanted: 4_096).connections == 70)
        #expect(DescriptorShare(limit: 128, wanted: 10).refused == 70)
    }

    @Test(arguments: 0...63) func `somebody is served however low the limit`(limit: Int) {
        #expect(DescriptorShare(limit: limit, wanted: 4_096).connections >= 1)
    }
}
