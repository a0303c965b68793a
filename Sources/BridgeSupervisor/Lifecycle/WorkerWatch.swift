/// Watches whether a worker gets ready in time, gives signs of life from then on, and ends in time once it is ending.
///
/// Pure; times are measured from one arbitrary instant.
package struct WorkerWatch: Sendable, Equatable {
    package enum Verdict: Equatable, Sendable {
        case well
        /// It hangs: SIGABRT, so that it leaves a trace.
        case abort
        /// It did not even end by that.
        case kill
    }

    /// Within which each sign of life follows the last.
    package let interval: Duration
    package let startTimeout: Duration
    /// From `STOPPING=1` to its end, however lively it is.
    package let stoppingTimeout: Duration
    /// Between SIGABRT and SIGKILL.
    package let patience: Duration

    private var lastSign: Duration
    private var isReady = false
    private var stoppingSince: Duration?
    private var abortedAt: Duration?

    package init(
        startedAt now: Duration,
        interval: Duration = .seconds(10),
        startTimeout: Duration = .seconds(30),
        stoppingTimeout: Duration = StopLimits.stopping,
        patience: Duration = .seconds(2)
    ) {
        self.lastSign = now
        self.interval = interval
        self.startTimeout = startTimeout
        self.stoppingTimeout = stoppingTimeout
        self.patience = patience
    }

    /// A sign of life. Before the worker is ready it does not help: a loop that turns is no service.
    package mutating func sign(at now: Duration) {
        if self.isReady { self.lastSign = now }
    }

    package mutating func ready(at now: Duration) {
        self.isReady = true
        self.lastSign = now
    }

    /// It said that it is ending. The first time counts.
    package mutating func stopping(at now: Duration) {
        guard self.stoppingSince == nil else { return }
        self.stoppingSince = now
        self.lastSign = now
    }

    /// Nobody has watched until now, so that silence before proves nothing: every limit begins anew.
    package mutating func resumed(at now: Duration) {
        self.lastSign = now
        if self.stoppingSince != nil { self.stoppingSince = now }
        if self.abortedAt != nil { self.abortedAt = now }
    }

    package mutating func check(at now: Duration) -> Verdict {
        if let abortedAt = self.abortedAt { return now - abortedAt >= self.patience ? .kill : .well }
        let isSilent = now - self.lastSign > (self.isReady ? self.interval : self.startTimeout)
        let isOverdue = self.stoppingSince.map { now - $0 > self.stoppingTimeout } ?? false
        guard isSilent || isOverdue else { return .well }
        self.abortedAt = now
        return .abort
    }
}
