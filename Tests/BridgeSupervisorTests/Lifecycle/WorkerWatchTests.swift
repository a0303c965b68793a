import Testing

@testable import BridgeSupervisor

@Suite("Worker watch") struct WorkerWatchTests {
    typealias Verdict = WorkerWatch.Verdict

    private func verdicts(of watch: WorkerWatch, at seconds: [Double]) -> [Verdict] {
        var watch = watch
        return seconds.map { watch.check(at: .seconds($0)) }
    }

    @Test func `a worker has its time to get ready, and hangs when it is over`() {
        let watch = WorkerWatch(startedAt: .seconds(100))
        #expect(self.verdicts(of: watch, at: [100, 130, 130.1]) == [.well, .well, .abort])
    }

    @Test func `a worker that is ready hangs when no sign follows the last in time`() {
        var watch = WorkerWatch(startedAt: .seconds(0))
        watch.ready(at: .seconds(20))
        #expect(self.verdicts(of: watch, at: [30, 30.1]) == [.well, .abort])
        watch.sign(at: .seconds(29))
        #expect(self.verdicts(of: watch, at: [30.1, 39, 39.1]) == [.well, .well, .abort])
    }

    @Test func `signs of life do not stand for being ready`() {
        var watch = WorkerWatch(startedAt: .seconds(0))
        for second in 1...30 { watch.sign(at: .seconds(second)) }
        #expect(self.verdicts(of: watch, at: [30, 30.1]) == [.well, .abort])
    }

    @Test func `a worker that hangs is aborted once, and killed when that does not help`() {
        let watch = WorkerWatch(startedAt: .seconds(0))
        #expect(self.verdicts(of: watch, at: [31, 31.5, 32.9, 33, 34]) == [.abort, .well, .well, .kill, .kill])
    }

    @Test func `a sign that comes after the abort saves nobody`() {
        var watch = WorkerWatch(startedAt: .seconds(0))
        watch.ready(at: .seconds(0))
        let first = watch.check(at: .seconds(11))
        watch.sign(at: .seconds(11.5))
        let second = watch.check(at: .seconds(13))
        #expect(first == .abort)
        #expect(second == .kill)
    }

    @Test func `its times can be chosen`() {
        var watch = WorkerWatch(
            startedAt: .zero, interval: .seconds(1), startTimeout: .seconds(2), patience: .milliseconds(100)
        )
        #expect(self.verdicts(of: watch, at: [2, 2.01, 2.2]) == [.well, .abort, .kill])
        watch.ready(at: .zero)
        #expect(self.verdicts(of: watch, at: [1, 1.01]) == [.well, .abort])
    }

    // MARK: Nobody watched

    @Test func `silence while nobody watched proves nothing`() {
        var watch = WorkerWatch(startedAt: .zero)
        watch.ready(at: .zero)
        watch.resumed(at: .seconds(3_600))
        #expect(self.verdicts(of: watch, at: [3_600, 3_610, 3_610.1]) == [.well, .well, .abort])
    }

    @Test func `a worker that was starting then has its time again`() {
        var starting = WorkerWatch(startedAt: .zero)
        starting.resumed(at: .seconds(100))
        #expect(self.verdicts(of: starting, at: [130, 130.1]) == [.well, .abort])
    }

    @Test func `one that was aborted then has its moment to end`() {
        var watch = WorkerWatch(startedAt: .zero)
        let aborted = watch.check(at: .seconds(31))
        watch.resumed(at: .seconds(100))
        #expect(aborted == .abort)
        #expect(self.verdicts(of: watch, at: [101.9, 102]) == [.well, .kill])
    }
}
