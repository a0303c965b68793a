import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

/// One connection to an upstream, made again as often as it is lost, and the calls that go over it.
///
/// The connection is its ``ConnectionKeeper``'s, the calls are its ``CallDesk``'s. What is here is between the two, and the
/// lane's end. Confined to its event loop.
final class Lane {
    private weak var delegate: (any LaneDelegate)?
    private weak var news: (any LaneNews)?
    private let desk: CallDesk
    private let keeper: ConnectionKeeper
    private let faults: CallFaults
    private let alarm: Alarm
    private var configuration: UpstreamConfiguration
    /// A changed configuration is put into force by then, whatever is still under way.
    private var restartDeadline: NIODeadline?
    /// It ends by then, whatever is still under way.
    private var stopDeadline: NIODeadline?
    private var isStopping = false
    private var isFinished = false

    /// - Parameters:
    ///   - offerings: what is listed of the server.
    ///   - isOneClients: whether all its calls are one client's: then each question is that one's, too.
    ///   - makeConnection: gives a connection that has not been started; `nil` where the kind is not served.
    init(
        _ configuration: UpstreamConfiguration,
        offerings: [Offering] = Offering.served,
        isOneClients: Bool = false,
        loop: any EventLoop,
        logger: Logger,
        delegate: any LaneDelegate,
        news: any LaneNews,
        makeConnection: @escaping ConnectionKeeper.Maker
    ) {
        self.configuration = configuration
        self.delegate = delegate
        self.news = news
        self.faults = CallFaults(upstream: configuration.name)
        self.desk = CallDesk(configuration, faults: self.faults, logger: logger)
        self.keeper = ConnectionKeeper(
            configuration, offerings: offerings, desk: self.desk, loop: loop, logger: logger, news: news,
            makeConnection: makeConnection)
        self.alarm = Alarm(loop: loop)
        self.desk.questions.isOneClients = isOneClients
        self.keeper.isForCallsAlone = offerings.isEmpty
        self.desk.delegate = self
        self.keeper.delegate = self
        self.alarm.onTime = { [unowned self] in self.tick() }
    }

    /// (Nothing refers to it weakly: every reference to what has a weak one costs a call more.)
    deinit {
        self.alarm.onTime = nil
        self.desk.delegate = nil
        self.keeper.delegate = nil
    }

    var status: UpstreamStatus {
        var status = self.keeper.status
        status.asks = self.desk.takesTurns
        status.question = self.desk.openQuestion.map { UpstreamStatus.Question($0.method, $0.whose, asked: $0.asked) }
        return status
    }

    /// Whether no call is there, and no task is under way.
    var isIdle: Bool { self.desk.isUnused }

    /// Of its server; see ``UpstreamCallHeader/life``.
    var life: Int { self.desk.tasks.life }

    /// Whether its server has asked in the middle of a call, in this life or an earlier one.
    var asks: Bool { self.desk.questions.hasAsked }

    /// The server is known to ask, from an earlier life.
    func isKnownToAsk() { self.desk.isKnownToAsk() }

    // MARK: What is wanted of it

    /// Connects, unless the upstream starts on demand.
    func start() {
        if self.configuration.start == .eager, !self.isStopping { self.keeper.start() }
    }

    /// Somebody wants its lists: connects what starts on demand.
    func wake() { self.keeper.wake() }

    /// What it was given up for is there now: a delay before the next attempt is cut short.
    func hurry() { if self.keeper.status.phase != .idle { self.keeper.hurry() } }

    /// Who asks is somebody else now.
    func askAnew() { self.keeper.askAnew() }

    /// Whether it is to be connected though nobody calls.
    var isKept: Bool {
        get { self.keeper.isKept }
        set { self.keeper.isKept = newValue }
    }

    func take(_ call: UpstreamCall) {
        guard !self.isStopping else {
            return self.desk.refuse(call, self.faults.unavailable("it is being stopped"))
        }
        let now = NIODeadline.now()
        let timeout = self.timeout(of: call)
        if let refusal = self.keeper.refusal(ofOneWaiting: timeout, now: now) {
            return self.desk.refuse(call, self.faults.unavailable(refusal.reason, retryAfter: refusal.retryAfter))
        }
        guard let deadline = self.desk.take(call, timeout: timeout, now: now) else { return }
        self.alarm.arm(at: min(deadline, self.desk.nextTurnDeadline ?? deadline))
        self.keeper.callArrived(now: now)
    }

    private func timeout(of call: UpstreamCall) -> TimeAmount {
        if let timeout = call.timeout { return timeout }
        let timeouts = self.configuration.timeouts
        return (call.toolName.flatMap { timeouts.tools[$0] } ?? timeouts.call).timeAmount
    }

    /// - Parameter logLevel: the level that clients want of the upstream, a JSON string.
    func set(logLevel: JSONText) { self.keeper.set(logLevel: logLevel) }

    /// Which revision the server wanted to have proposed in an earlier life, and for how long that holds.
    func propose(_ revision: ProtocolRevision, for lifetime: TimeAmount) {
        self.keeper.propose(revision, for: lifetime)
    }

    /// Whether servers are not greeted yet: somebody may still say what they want to have proposed.
    var holdsGreeting: Bool {
        get { self.keeper.holdsGreeting }
        set { self.keeper.holdsGreeting = newValue }
    }

    /// Whether what the server says is read.
    var isReading: Bool {
        get { self.keeper.isReading }
        set { self.keeper.isReading = newValue }
    }

    /// Takes a changed configuration. What a running server would not notice ends it, once the calls that it is at are
    /// finished, or after 10 s; further calls wait for its successor.
    func reconfigure(_ new: UpstreamConfiguration) {
        let old = self.configuration
        self.configuration = new
        self.keeper.reconfigure(new)
        self.desk.reconfigure(new)
        // Calls that waited for their turn need not any more, perhaps.
        if self.desk.hasWaiting { self.keeper.sendSoon() }
        guard new.needsConnection(otherThan: old), !self.isStopping else {
            if old.start == .lazy { self.start() }
            return
        }
        self.keeper.holdsCalls = true
        self.restartDeadline = .now() + .seconds(10)
        self.callsChanged()
        self.rearm()
    }

    private func restart() {
        self.restartDeadline = nil
        self.keeper.holdsCalls = false
        self.news?.replaced()
        self.desk.replaced()
        self.keeper.restart()
    }

    /// Takes no further calls, lets those under way finish for so long, and ends.
    func stop(within patience: TimeAmount) {
        let deadline = NIODeadline.now() + patience
        // It is ending already: not later than that.
        guard !self.isStopping else {
            self.stopDeadline = self.stopDeadline.map { min($0, deadline) }
            return self.rearm()
        }
        self.beginToStop()
        self.stopDeadline = deadline
        self.callsChanged()
        self.rearm()
    }

    /// Ends at once; calls under way are answered with what is known of them.
    func stopNow() {
        self.beginToStop()
        self.stopDeadline = nil
        self.keeper.stopNow()
    }

    private func beginToStop() {
        self.isStopping = true
        self.keeper.isStopping = true
    }

    private func proceedToStop() {
        self.stopDeadline = nil
        self.keeper.stop()
    }

    // MARK: Time

    /// Sets the alarm to the next thing there is to do. Too early does no harm.
    private func rearm() {
        let times = [self.desk.nextDeadline, self.keeper.nextDeadline, self.restartDeadline, self.stopDeadline]
        if !self.isFinished, let next = times.compactMap({ $0 }).min() { self.alarm.arm(at: next) }
    }

    private func tick() {
        let now = NIODeadline.now()
        self.desk.expire(now: now) { self.keeper.hindrance }
        self.keeper.tick(now)
        if let deadline = self.restartDeadline, now >= deadline { self.restart() }
        if let deadline = self.stopDeadline, now >= deadline { self.proceedToStop() }
        self.rearm()
    }

    /// The number of calls under way may have fallen to where something else can go on.
    private func callsChanged() {
        if self.restartDeadline != nil, self.desk.sentCount == 0 { self.restart() }
        // In a turn of its own: whoever ends several calls is not to find the connection gone in the middle.
        if self.keeper.isSilent, self.desk.hurriedCount == 0 { self.alarm.arm(at: .now()) }
        // It may be the turn of the next one.
        if self.desk.hasWaiting { self.keeper.sendSoon() }
        guard self.desk.count == 0 else { return }
        self.keeper.callsOver()
        if self.configuration.idleStop != nil { self.rearm() }
        if self.isStopping { self.proceedToStop() }
    }
}

extension Lane: CallDeskDelegate {
    func desk(_ desk: CallDesk, says answer: JSONText) { self.keeper.say(answer: answer) }
    func desk(_ desk: CallDesk, declines question: Questions.Open) -> JSONText {
        self.keeper.declined(question)
    }

    func deskHeardItAsks(_ desk: CallDesk) { self.delegate?.laneChanged(self) }
    func deskAsks(_ desk: CallDesk) {
        self.rearm()
        self.delegate?.laneChanged(self)
    }

    func desk(_ desk: CallDesk, gaveUp id: Int, task: String?, reason: String) {
        self.keeper.tellCancelled(id, task: task, reason: reason)
    }
    func deskChanged(_ desk: CallDesk) { self.callsChanged() }
}

extension Lane: ConnectionKeeperDelegate {
    func keeperChanged(_ keeper: ConnectionKeeper) {
        self.rearm()
        self.delegate?.laneChanged(self)
    }

    func keeperDeadlinesChanged(_ keeper: ConnectionKeeper) { self.rearm() }

    func keeperFinished(_ keeper: ConnectionKeeper) {
        guard !self.isFinished else { return }
        self.isFinished = true
        self.alarm.disarm()
        self.desk.failWaiting("it has been stopped")
        self.delegate?.laneFinished(self)
    }
}

extension UpstreamConfiguration {
    /// Whether a server that runs by the old one would not notice.
    fileprivate func needsConnection(otherThan old: UpstreamConfiguration) -> Bool {
        self.transport.needsConnection(otherThan: old.transport) || self.limits != old.limits
            || self.cgroup != old.cgroup
            || self.originalNoFileLimit != old.originalNoFileLimit || self.roots != old.roots
            || self.maximumLineBytes != old.maximumLineBytes
            // Its tokens come from elsewhere.
            || self.oauth != old.oauth
    }
}

extension TransportSettings {
    /// Whether a server that is reached by the old ones would not notice: new headers come with the next request.
    fileprivate func needsConnection(otherThan old: TransportSettings) -> Bool {
        guard case .http(var target) = self, case .http(let before) = old else { return self != old }
        target.headers = before.headers
        return target != before
    }
}
