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

    // MARK: Ending

    @Test func `a worker that ends has a limit of its own, and goes on giving signs of life`() {
        var watch = WorkerWatch(startedAt: .zero)
        watch.ready(at: .zero)
        // Its last sign is nine seconds old when it says that it ends.
        watch.stopping(at: .seconds(9))
        #expect(self.verdicts(of: watch, at: [10.5, 19, 19.1]) == [.well, .well, .abort])
        watch.sign(at: .seconds(19))
        #expect(self.verdicts(of: watch, at: [19.5, 24, 24.1]) == [.well, .well, .abort])
    }

    @Test func `neither to say it again nor signs of life make the end's limit longer`() {
        var watch = WorkerWatch(startedAt: .zero)
        watch.ready(at: .zero)
        watch.stopping(at: .seconds(1))
        for second in 2...15 {
            watch.sign(at: .seconds(second))
            watch.stopping(at: .seconds(second))
        }
        #expect(self.verdicts(of: watch, at: [16, 16.1, 18.1]) == [.well, .abort, .kill])
    }

    @Test func `the end of a worker may take what it takes at its slowest`() {
        #expect(StopLimits.stopping > .seconds(13))
        // The watch decides before the last resort does: SIGABRT, a tick late, and SIGKILL after its patience.
        let watch = WorkerWatch(startedAt: .zero)
        #expect(StopLimits.killed >= StopLimits.stopping + .seconds(1) + watch.patience)
    }

    // MARK: Nobody watched

    @Test func `silence while nobody watched proves nothing`() {
        var watch = WorkerWatch(startedAt: .zero)
        watch.ready(at: .zero)
        watch.resumed(at: .seconds(3_600))
        #expect(self.verdicts(of: watch, at: [3_600, 3_610, 3_610.1]) == [.well, .well, .abort])
    }

    @Test func `a worker that was starting or ending then has its time again`() {
        var starting = WorkerWatch(startedAt: .zero)
        starting.resumed(at: .seconds(100))
        #expect(self.verdicts(of: starting, at: [130, 130.1]) == [.well, .abort])
        var ending = WorkerWatch(startedAt: .zero)
        ending.ready(at: .zero)
        ending.stopping(at: .seconds(1))
        ending.resumed(at: .seconds(100))
        ending.sign(at: .seconds(110))
        #expect(self.verdicts(of: ending, at: [115, 115.1]) == [.well, .abort])
    }

    @Test func `one that was aborted then has its moment to end`() {
        var watch = WorkerWatch(startedAt: .zero)
        let aborted = watch.check(at: .seconds(31))
        watch.resumed(at: .seconds(100))
        #expect(aborted == .abort)
        #expect(self.verdicts(of: watch, at: [101.9, 102]) == [.well, .kill])
    }
}
