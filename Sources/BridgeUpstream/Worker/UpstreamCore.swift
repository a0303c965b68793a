import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeProcess
import FoundationEssentials
import Glibc
import Logging
import NIOCore

/// The effects around the machines: everything that one upstream worker does, on its event loop.
///
/// This file holds the connection's life; what calls, messages and requests do is in the extensions.
final class UpstreamCore {
    /// How long a peer may take to read the last words.
    private static let farewellTime = TimeAmount.seconds(2)

    let loop: any EventLoop
    let processes: ProcessThread
    var configuration: UpstreamConfiguration
    var logger: Logger

    var lifecycle: UpstreamLifecycle
    var upkeep: Upkeep
    var pending = PendingCalls<UpstreamCall>()
    var own = OwnRequests()
    /// The child, from its start until nothing of its tree is left.
    var child: Child?
    /// Who the connected upstream is.
    var identity: UpstreamIdentity?
    /// The list that is being read.
    var listing: ToolListing?
    /// Lines of the bridge's own that are to be written before any further call.
    var controls = ByteBuffer()
    var isDrainScheduled = false
    /// The digits of an id; kept because making room costs more than writing them.
    var scratch = ByteBuffer()
    /// The log level that the clients want of the upstream.
    var wantedLogLevel: JSONText?
    /// Kinds of stray answers of this connection that have been logged.
    var reportedStrays: Set<String> = []
    var noiseRate = LineRate(perSecond: 10)

    /// Room for calls that are passed on, and answers on their way to the session worker.
    private let gate: PayloadGate
    private let answers: AnswerMeter

    private(set) lazy var announcer = Announcer(loop: self.loop, control: self.control) { [unowned self] in self.state }
    private let control: LinkConnection
    private let alarm: Alarm
    private var listener: LinkListener?
    private var links: [ObjectIdentifier: LinkConnection] = [:]

    // What the state tells beside the machines.
    var toolCount = 0
    var lastConnected: Date?
    var lastToolRefresh: Date?
    var lastError: String?
    var listFlaw: String?
    var pid: pid_t?

    // Times for the alarm, beside the machines' own.
    private var reconnectTime: NIODeadline?
    var attemptDeadline: NIODeadline?
    private var stopDeadline: NIODeadline?
    private var restartDeadline: NIODeadline?

    /// Whether it takes no further calls.
    private(set) var isStopping = false
    private var isFinished = false
    private var onFinished: [() -> Void] = []

    init(
        configuration: UpstreamConfiguration,
        processes: ProcessThread,
        loop: any EventLoop,
        control: LinkConnection,
        logger: Logger
    ) {
        self.configuration = configuration
        self.processes = processes
        self.loop = loop
        self.control = control
        self.logger = logger
        self.logger[metadataKey: "mcp.upstream"] = "\(configuration.name)"
        self.lifecycle = UpstreamLifecycle(policy: configuration.reconnect)
        self.upkeep = Upkeep(Upkeep.Intervals(configuration))
        self.alarm = Alarm(loop: loop)
        self.gate = PayloadGate(limit: configuration.workerBytes, loop: loop)
        self.answers = AnswerMeter(limit: configuration.workerBytes, loop: loop)
        self.alarm.onTime = { [weak self] in self?.tick() }
        self.answers.onChange = { [weak self] isFull in self?.child?.isReading = !isFull }
    }

    /// Whether calls are held back until a changed configuration is in force.
    var isHolding: Bool { self.restartDeadline != nil }

    // MARK: Start and end

    func serve(_ listener: LinkListener) {
        guard !self.isFinished else { return listener.close() }
        self.listener = listener
        if self.isStopping { listener.close() }
        self.announcer.stateChanged()
        if self.configuration.start == .eager, !self.isStopping { self.perform(self.lifecycle.start()) }
    }

    func accept(_ link: LinkConnection) {
        self.links[ObjectIdentifier(link)] = link
        link.meter = self.answers
        link.admission = LinkAdmission(gate: self.gate) { $0.string("sess") ?? "" }
        link.onOpen = { [weak self] in self?.opened($0) }
        link.onClose = { [weak self, unowned link] in self?.links[ObjectIdentifier(link)] = nil }
    }

    func whenFinished(_ body: @escaping () -> Void) {
        if self.isFinished { body() } else { self.onFinished.append(body) }
    }

    /// Takes no further calls, lets those under way finish for so long, and ends.
    func stop(within patience: TimeAmount) {
        guard !self.isStopping else { return }
        self.isStopping = true
        self.stopDeadline = .now() + patience
        self.listener?.close()
        for link in self.links.values { link.keepToOneConnection() }
        self.callsChanged()
        self.rearm()
    }

    /// Ends at once; calls under way are answered with what is known of them.
    func stopNow() {
        if !self.isStopping { self.listener?.close() }
        self.isStopping = true
        self.child?.end(.now)
        self.proceedToStop()
    }

    private func proceedToStop() {
        self.stopDeadline = nil
        self.perform(self.lifecycle.stop())
    }

    private func finish() {
        guard !self.isFinished else { return }
        self.isFinished = true
        self.alarm.disarm()
        self.failWaiting("it has been stopped")
        // So that this is among the last words.
        self.announcer.stateChanged()
        let this = NIOLoopBound(self, eventLoop: self.loop)
        self.loop.execute { this.value.farewell() }
    }

    /// Closes the links once the last words have left, the state on the control link too, and is finished then.
    private func farewell() {
        var open = 1
        let over = {
            open -= 1
            guard open == 0 else { return }
            for body in self.onFinished { body() }
            self.onFinished = []
        }
        for link in self.links.values {
            open += 1
            link.whenWritten(within: Self.farewellTime) {
                link.close()
                over()
            }
        }
        self.control.whenWritten(within: Self.farewellTime, over)
    }

    // MARK: Actions

    /// - Parameter manner: how a child that is to be ended is treated.
    func perform(_ action: UpstreamLifecycle.Action, manner: Child.Manner = .politely) {
        switch action {
        case .none: break
        case .connect: self.connect()
        case .end(let failWaiting): self.endConnection(failWaiting: failWaiting, manner)
        case .wait(let until): self.reconnectTime = until
        case .refuse: self.failWaiting(self.lastError ?? "it is stopped")
        case .finish: self.finish()
        }
        self.rearm()
        self.announcer.stateChanged()
    }

    private func connect() {
        self.reconnectTime = nil
        self.reportedStrays = []
        guard case .stdio(let launch) = self.configuration.transport else {
            self.lastError = "upstreams of kind '\(self.configuration.transport.kind)' are not served by this version"
            return self.perform(self.lifecycle.unservable())
        }
        self.attemptDeadline = .now() + self.configuration.timeouts.connect.timeAmount
        let child = Child(launch: ChildLaunch(self.configuration, launch), processes: self.processes, loop: self.loop)
        child.delegate = self
        child.isReading = !self.answers.isFull
        self.child = child
        child.start()
    }

    /// The connection is of no use any more.
    func lost(_ reason: String) {
        self.lastError = reason
        self.logger.warning("upstream closed; scheduling reconnect", metadata: ["error": "\(reason)"])
        self.dropConnection(reason)
        self.perform(
            self.lifecycle.lost(callsWait: self.pending.hasWaiting, now: .now(), random: .random(in: 0..<1)),
            manner: .promptly
        )
    }

    private func endConnection(failWaiting: Bool, _ manner: Child.Manner) {
        self.dropConnection("it was stopped")
        if failWaiting { self.failWaiting(self.isStopping ? "it is being stopped" : self.lastError ?? "it ended") }
        self.child?.end(manner)
    }

    /// Forgets what belonged to the connection, and answers the calls that were written to it.
    private func dropConnection(_ reason: String) {
        for call in self.pending.connectionLost() { self.finish(call.caller, with: .outcomeUnknown(reason: reason)) }
        self.own.removeAll()
        self.upkeep.disconnected()
        self.controls.clear()
        self.identity = nil
        self.listing = nil
        self.attemptDeadline = nil
        self.pid = nil
    }

    private func failWaiting(_ reason: String) {
        for call in self.pending.giveUpWaiting() { self.finish(call.caller, with: .unavailable(reason: reason)) }
    }

    // MARK: Configuration

    /// Takes a changed configuration. What a running child would not notice ends it, once the calls that it is at are
    /// finished, or after 10 s; further calls wait for its successor.
    func reconfigure(_ new: UpstreamConfiguration) {
        let old = self.configuration
        self.configuration = new
        self.upkeep.intervals = Upkeep.Intervals(new)
        self.gate.limit = new.workerBytes
        self.answers.limit = new.workerBytes
        let reconnect =
            new.transport != old.transport || new.limits != old.limits || new.cgroup != old.cgroup
            || new.originalNoFileLimit != old.originalNoFileLimit || new.roots != old.roots
            || new.maximumLineBytes != old.maximumLineBytes
        guard reconnect, !self.isStopping else {
            self.perform(self.lifecycle.reconfigured(policy: new.reconnect, reconnect: false))
            if old.start == .lazy, new.start == .eager { self.perform(self.lifecycle.start()) }
            return
        }
        self.restartDeadline = .now() + .seconds(10)
        self.callsChanged()
        self.rearm()
    }

    private func restart() {
        self.restartDeadline = nil
        self.lastError = nil
        self.perform(self.lifecycle.reconfigured(policy: self.configuration.reconnect, reconnect: true))
        self.scheduleDrain()
    }

    /// The number of calls under way may have fallen to where something else can go on.
    func callsChanged() {
        if self.isHolding, self.pending.writtenCount == 0 { self.restart() }
        // In a turn of its own: whoever ends several calls is not to find the connection gone in the middle.
        if self.upkeep.isSilent, self.pending.writtenCount == 0 { self.arm(at: .now()) }
        guard self.pending.count == 0 else { return }
        self.upkeep.busy(false, now: .now())
        if self.upkeep.intervals.idleStop != nil { self.rearm() }
        if self.isStopping { self.proceedToStop() }
    }

    // MARK: Time

    /// Sets the alarm to the next thing there is to do. Too early does no harm.
    func rearm() {
        let times = [
            self.pending.nextDeadline, self.own.nextDeadline, self.upkeep.next, self.reconnectTime,
            self.attemptDeadline, self.stopDeadline, self.restartDeadline,
        ]
        if !self.isFinished, let next = times.compactMap({ $0 }).min() { self.alarm.arm(at: next) }
    }

    func arm(at time: NIODeadline) { self.alarm.arm(at: time) }

    private func tick() {
        let now = NIODeadline.now()
        self.expireCalls(now)
        self.expireOwnRequests(now)
        if let deadline = self.attemptDeadline, now >= deadline {
            self.attemptDeadline = nil
            self.lost("it did not answer initialize in time")
        }
        self.keepUp(now)
        if let time = self.reconnectTime, now >= time {
            self.reconnectTime = nil
            self.perform(self.lifecycle.delayOver(now: now))
        }
        if let deadline = self.restartDeadline, now >= deadline { self.restart() }
        if let deadline = self.stopDeadline, now >= deadline { self.proceedToStop() }
        self.rearm()
    }
}
