import BridgeAccess
import BridgeConfiguration
import Logging
import NIOCore
import NIOEmbedded
import Testing

@testable import BridgeFront

@Suite("Audit rows on their way") struct AuditRecorderTests {
    private let loop = EmbeddedEventLoop()
    private let store = StoreInPlace()
    private let full = StoreTrouble(.full, "There is no room.")

    private func recorder(_ requests: AuditPolicy.Requests = .tokens) -> AuditRecorder {
        var policy = AuditPolicy()
        policy.requests = requests
        return AuditRecorder(self.store, policy: policy, loop: self.loop, logger: Logger(label: "test"))
    }

    private func row(_ number: Int) -> AuditRow {
        AuditRow(requestID: "\(number)", time: number, token: nil, principal: "local", method: "ping", status: 200)
    }

    @Test func `rows wait for each other, and for no longer than 100 ms`() {
        let recorder = self.recorder()
        for number in 1...3 { recorder.record(self.row(number)) }
        self.loop.advanceTime(by: .milliseconds(99))
        #expect(self.store.written.isEmpty)
        self.loop.advanceTime(by: .milliseconds(1))
        #expect(self.store.written.map { $0.map(\.requestID) } == [["1", "2", "3"]])
    }

    @Test func `1,024 rows leave at once, and no batch is larger`() {
        let recorder = self.recorder()
        for number in 1...2_500 { recorder.record(self.row(number)) }
        self.loop.run()
        #expect(self.store.written.map(\.count) == [1_024, 1_024])
        self.loop.advanceTime(by: .milliseconds(100))
        #expect(self.store.written.map(\.count) == [1_024, 1_024, 452])
        #expect(self.store.written.flatMap(\.self).map(\.time) == Array(1...2_500))
    }

    @Test func `one batch is on its way at a time`() {
        let recorder = self.recorder()
        self.store.isSlow = true
        for number in 1...3_000 { recorder.record(self.row(number)) }
        self.loop.advanceTime(by: .seconds(1))
        #expect(self.store.pending.count == 1)
    }

    @Test func `rows that cannot be written are kept and tried again`() {
        let recorder = self.recorder()
        self.store.trouble = self.full
        for number in 1...10 { recorder.record(self.row(number)) }
        self.loop.advanceTime(by: .milliseconds(100))
        #expect(self.store.written.isEmpty)
        self.store.trouble = nil
        self.loop.advanceTime(by: .seconds(1))
        #expect(self.store.written.flatMap(\.self).map(\.time) == Array(1...10))
        #expect(recorder.lost == 0)
    }

    @Test func `what finds no room is counted, and the audit itself says how much is missing`() {
        let recorder = self.recorder()
        self.store.trouble = self.full
        for number in 1...(AuditRecorder.room + 7) { recorder.record(self.row(number)) }
        self.loop.advanceTime(by: .milliseconds(100))
        #expect(recorder.lost == 7)
        self.store.trouble = nil
        self.loop.advanceTime(by: .seconds(60))
        let rows = self.store.written.flatMap(\.self)
        let gaps = rows.filter { $0.outcome == "lost" }
        #expect(gaps.map(\.subject) == ["7 rows"])
        #expect(rows.count == AuditRecorder.room + 1)
    }

    @Test func `the end writes what there is, and waits for no store that hangs`() throws {
        let recorder = self.recorder()
        recorder.record(self.row(1))
        let closed = recorder.close()
        self.loop.run()
        #expect(self.store.written.count == 1)
        try closed.wait()
        let other = self.recorder()
        self.store.isSlow = true
        other.record(self.row(2))
        var isClosed = false
        other.close().assumeIsolated().whenComplete { _ in isClosed = true }
        self.loop.advanceTime(by: .seconds(2))
        #expect(!isClosed)
        self.loop.advanceTime(by: .seconds(1))
        #expect(isClosed)
    }

    @Test func `what is not written in the end is counted, and the log says so`() throws {
        let log = KeptLog()
        let recorder = AuditRecorder(self.store, policy: AuditPolicy(), loop: self.loop, logger: log.logger)
        self.store.trouble = self.full
        for number in 1...(AuditRecorder.room + 2) { recorder.record(self.row(number)) }
        let closed = recorder.close()
        self.loop.run()
        try closed.wait()
        #expect(recorder.lost == AuditRecorder.room + 2)
        #expect(log.records.last == "error The audit ends with rows that are not written [lost: 16386]")
    }

    @Test func `requests with a token have a row, and all of them where that is asked for`() {
        #expect(self.recorder().wants(.random()) && !self.recorder().wants(nil))
        #expect(self.recorder(.all).wants(nil))
        let without = AuditRecorder(nil, policy: AuditPolicy(), loop: self.loop, logger: Logger(label: "test"))
        #expect(!without.wants(.random()))
    }
}
