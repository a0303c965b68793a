import BridgeAccess
import BridgeConfiguration
import BridgeCore
import Glibc
import Logging
import NIOCore

/// Gathers audit rows and has them written in batches: at most 1,024 at a time, and none older than 100 ms. Confined to the
/// event loop, which never waits for the disk.
///
/// One batch is on its way at a time. What cannot be written is kept and tried again, as long as there is room; what finds no
/// room is counted, and the audit itself says how much of it there was.
final class AuditRecorder {
    static let batch = 1_024
    static let delay = TimeAmount.milliseconds(100)
    /// Rows that wait, those on their way included.
    static let room = 16_384

    /// Rows that were lost, ever.
    private(set) var lost = 0
    var policy: AuditPolicy

    private let store: (any AuditStore)?
    private let loop: any EventLoop
    private let logger: Logger
    private var waiting: [AuditRow] = []
    private var onItsWay: [AuditRow] = []
    private var lostSinceTold = 0
    private var timer: Scheduled<Void>?
    private var pruning: RepeatedTask?
    private var backoff = Backoff(base: .seconds(1), maximum: .seconds(30))
    private var isTroubled = false
    private var closing: EventLoopPromise<Void>?

    init(_ store: (any AuditStore)?, policy: AuditPolicy, loop: any EventLoop, logger: Logger) {
        self.store = store
        self.policy = policy
        self.loop = loop
        self.logger = logger
    }

    /// Whether a request has a row.
    func wants(_ token: TokenID?) -> Bool {
        guard self.store != nil else { return false }
        return token != nil || self.policy.requests == .all
    }

    func record(_ row: AuditRow) {
        guard self.store != nil else { return }
        guard self.waiting.count + self.onItsWay.count < Self.room else {
            self.lost += 1
            self.lostSinceTold += 1
            return
        }
        self.waiting.append(row)
        if self.waiting.count >= Self.batch {
            self.flush()
        } else if self.timer == nil {
            self.later(Self.delay)
        }
    }

    /// Sends off what waits, unless a batch is on its way or the store is in trouble.
    func flush() {
        guard !self.isTroubled else { return }
        self.send()
    }

    /// Forgets old rows, now and every hour.
    func start() {
        guard self.store != nil else { return }
        self.pruning = self.loop.scheduleRepeatedTask(
            initialDelay: .seconds(10), delay: .hours(1), notifying: nil
        ) { [bound = NIOLoopBound(self, eventLoop: self.loop)] _ in bound.value.prune() }
    }

    /// Writes what there is. Whoever waits for that waits for a moment at most.
    func close() -> EventLoopFuture<Void> {
        self.pruning?.cancel()
        self.timer?.cancel()
        self.timer = nil
        let closed = self.loop.makePromise(of: Void.self)
        self.closing = closed
        let limit = self.loop.scheduleTask(in: .seconds(3)) { closed.succeed() }
        self.isTroubled = false
        self.send()
        if self.onItsWay.isEmpty { closed.succeed() }
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        return closed.futureResult.always { _ in
            limit.cancel()
            bound.value.tellOfTheRest()
        }
    }

    /// Nobody writes it any more, and so no row can say how much it was.
    private func tellOfTheRest() {
        self.timer?.cancel()
        let unwritten = self.waiting.count + self.onItsWay.count
        guard unwritten + self.lostSinceTold > 0 else { return }
        self.lost += unwritten
        self.logger.error(
            "The audit ends with rows that are not written", metadata: ["lost": "\(unwritten + self.lostSinceTold)"])
    }

    private func later(_ time: TimeAmount) {
        self.timer = self.loop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            self?.timer = nil
            self?.send()
        }
    }

    private func send() {
        guard self.onItsWay.isEmpty, let store, !self.waiting.isEmpty || self.lostSinceTold > 0 else { return }
        self.timer?.cancel()
        self.timer = nil
        if self.waiting.count <= Self.batch {
            swap(&self.onItsWay, &self.waiting)
        } else {
            self.onItsWay = Array(self.waiting.prefix(Self.batch))
            self.waiting.removeFirst(self.onItsWay.count)
        }
        let lost = self.lostSinceTold
        let rows = lost > 0 ? self.onItsWay + [Self.gap(lost)] : self.onItsWay
        let bound = NIOLoopBound(self, eventLoop: self.loop)
        let loop = self.loop
        store.append(rows) { result in loop.execute { bound.value.sent(lost, result) } }
    }

    private func sent(_ lost: Int, _ result: Result<Void, StoreTrouble>) {
        switch result {
        case .success:
            self.onItsWay.removeAll(keepingCapacity: true)
            self.lostSinceTold -= lost
            self.backoff.forgive()
            if self.isTroubled { self.logger.notice("The audit is written again", metadata: ["lost": "\(lost)"]) }
            self.isTroubled = false
            if self.closing != nil || self.waiting.count >= Self.batch {
                self.send()
            } else if !self.waiting.isEmpty, self.timer == nil {
                self.later(Self.delay)
            }
        case .failure(let trouble):
            self.waiting = self.onItsWay + self.waiting
            self.onItsWay.removeAll()
            if !self.isTroubled {
                self.logger.error(
                    "The audit cannot be written",
                    metadata: ["error.code": "store_\(trouble.kind.rawValue)", "error": "\(trouble)"])
            }
            self.isTroubled = true
            self.timer?.cancel()
            self.later(TimeAmount(self.backoff.failed(draw: .random(in: 0..<1))))
        }
        if self.onItsWay.isEmpty { self.closing?.succeed() }
    }

    /// That there is something missing here.
    private static func gap(_ lost: Int) -> AuditRow {
        AuditRow(
            requestID: "", time: WallTime.milliseconds(), token: nil, principal: "service", method: "audit",
            subject: "\(lost) rows", outcome: "lost", status: 0)
    }

    private func prune() {
        let oldest = WallTime.milliseconds() - self.policy.days * 86_400_000
        self.store?.prune(before: oldest) { [logger] result in
            guard case .failure(let trouble) = result else { return }
            logger.warning("Old rows of the audit cannot be forgotten", metadata: ["error": "\(trouble)"])
        }
    }
}

/// The time of day, for what people read later.
enum WallTime {
    /// Since 1970.
    static func milliseconds() -> Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return now.tv_sec * 1_000 + now.tv_nsec / 1_000_000
    }
}
