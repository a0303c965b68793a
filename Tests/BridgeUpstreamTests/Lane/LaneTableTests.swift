import Testing

@testable import BridgeUpstream

@Suite("Lanes beside the one that everybody shares") struct LaneTableTests {
    private final class FakeLane {}

    private static func leaving(_ room: LaneTable<FakeLane>.Room) -> FakeLane? {
        if case .after(let lane) = room { lane } else { nil }
    }

    @Test func `the one that was used longest ago goes, and none that is at work`() {
        var table = LaneTable<FakeLane>()
        let lanes = (0..<4).map { _ in FakeLane() }
        for (number, lane) in lanes.enumerated() { table.keep(lane, of: "\(number)") }
        #expect(table.use(of: "0") === lanes[0] && table.use(of: "nobody") == nil)
        guard case .free = table.room(for: 5, ending: 0, isIdle: { _ in true }) else {
            Issue.record("there is room for a fifth")
            return
        }
        #expect(Self.leaving(table.room(for: 4, ending: 0) { _ in true }) === lanes[1])
        #expect(Self.leaving(table.room(for: 4, ending: 0) { $0 !== lanes[1] }) === lanes[2])
        #expect(Self.leaving(table.room(for: 4, ending: 0) { _ in false }) == nil)
        #expect(table.letGo(lanes[1]) && !table.letGo(lanes[1]) && table.count == 3)
    }

    @Test func `no more of them end at once than there may be`() {
        var table = LaneTable<FakeLane>()
        for number in 0..<2 { table.keep(FakeLane(), of: "\(number)") }
        #expect(Self.leaving(table.room(for: 2, ending: 1) { _ in true }) != nil)
        #expect(Self.leaving(table.room(for: 2, ending: 2) { _ in true }) == nil)
    }
}
