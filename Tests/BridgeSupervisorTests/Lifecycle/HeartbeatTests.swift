import Testing

@testable import BridgeSupervisor

@Suite("Heartbeat") struct HeartbeatTests {
    private func lateness(of beats: [Double]) -> [Duration?] {
        var heartbeat = Heartbeat()
        return beats.map { heartbeat.beat(at: .seconds($0)) }
    }

    @Test func `the first beat is on time, whenever it comes`() {
        #expect(self.lateness(of: [100]) == [nil])
    }

    @Test func `a beat may be two seconds late`() {
        #expect(self.lateness(of: [0, 1, 4, 5]) == [nil, nil, nil, nil])
    }

    @Test func `a beat that is later tells how late it is, and the next one is expected from there`() {
        #expect(self.lateness(of: [0, 14, 15, 18.5]) == [nil, .seconds(13), nil, .milliseconds(2_500)])
    }

    @Test func `what was sent is read before any verdict on those who were not watched`() {
        var heartbeat = Heartbeat()
        let onTime = Heartbeat.steps(after: heartbeat.beat(at: .seconds(0)))
        #expect(onTime == [.checkWorkers])
        let late = Heartbeat.steps(after: heartbeat.beat(at: .seconds(10)))
        #expect(late == [.readNotifications, .renewWatches, .checkWorkers])
    }
}
