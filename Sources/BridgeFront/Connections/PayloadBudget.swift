import NIOCore

/// How many bytes of answers the front holds that its clients, all together, have not read. Confined to the event loop.
final class PayloadBudget {
    /// Pieces below this are not worth counting.
    static let smallest = 16 << 10

    var limit: Int
    private(set) var answers = 0
    /// Called when the answers have come to more than the limit. To close connections is the way to make room.
    var onExcess: (() -> Void)?

    init(limit: Int) { self.limit = limit }

    var isExceeded: Bool { self.answers > self.limit }

    fileprivate func count(answers octets: Int) {
        self.answers += octets
        if octets > 0, self.isExceeded { self.onExcess?() }
    }
}

/// What one connection holds of the ``PayloadBudget``. Confined to the event loop.
final class PayloadAccount {
    private let budget: PayloadBudget
    private(set) var answers = 0
    /// When ``answers`` was last zero.
    private(set) var since = NIODeadline.now()
    /// Bytes of answers that the channel was given since then.
    private(set) var written = 0
    private var isClosed = false

    init(_ budget: PayloadBudget) { self.budget = budget }

    /// Something is about to be given to the channel. May close this connection or another.
    func holdAnswer(_ octets: Int) {
        guard !self.isClosed, octets >= PayloadBudget.smallest else { return }
        if self.answers == 0 {
            self.since = .now()
            self.written = 0
        }
        self.answers += octets
        self.budget.count(answers: octets)
    }

    func releaseAnswer(_ octets: Int) {
        guard !self.isClosed, octets >= PayloadBudget.smallest else { return }
        self.answers -= octets
        self.budget.count(answers: -octets)
    }

    /// What is given to the channel is released by itself when the kernel has it.
    ///
    /// - Returns: the promise to write it with.
    func holdWritten(
        _ octets: Int, promise: EventLoopPromise<Void>?, on loop: any EventLoop
    ) -> EventLoopPromise<Void>? {
        guard !self.isClosed, octets >= PayloadBudget.smallest else { return promise }
        self.holdAnswer(octets)
        self.written += octets
        let written = promise ?? loop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in self.releaseAnswer(octets) }
        return written
    }

    /// The connection is gone, and all that was held for it.
    func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.budget.count(answers: -self.answers)
        self.answers = 0
    }
}

/// Which connection has to go when answers are held for more clients than there is room for: the slowest reader.
///
/// One whose answer is less than a second old is spared while there is another: it has had no time to read.
struct SlowestReader<Reader> {
    private var chosen: (reader: Reader, isNew: Bool, rate: Int, since: NIODeadline)?

    var reader: Reader? { self.chosen?.reader }

    /// - Parameters:
    ///   - octets: how much of its answers has left since `since`.
    mutating func consider(_ reader: Reader, octets: Int, since: NIODeadline, now: NIODeadline) {
        let milliseconds = Int((now - since).nanoseconds / 1_000_000)
        let isNew = milliseconds < 1_000
        let rate = octets / max(milliseconds, 1)
        if let chosen = self.chosen {
            if chosen.isNew != isNew {
                guard chosen.isNew else { return }
            } else if chosen.rate != rate {
                guard rate < chosen.rate else { return }
            } else {
                guard since < chosen.since else { return }
            }
        }
        self.chosen = (reader, isNew, rate, since)
    }
}
