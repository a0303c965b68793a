import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import BridgeProcess
import Logging
import NIOCore

/// One upstream's worker on its event loop: the links to session workers, the lanes to the upstream, and who is told what.
final class UpstreamCore {
    /// How long a peer may take to read the last words.
    private static let farewellTime = TimeAmount.seconds(2)
    /// For so long a server is not greeted where no session worker is there. One that comes says first what the server wanted
    /// to have proposed in an earlier life.
    private static let greetingTime = TimeAmount.milliseconds(200)
    /// How long the end waits for a token that is on its way. What comes later is had by whoever comes next: it is on the disk
    /// that it was asked for.
    private static let savingTime = TimeAmount.seconds(5)

    let loop: any EventLoop
    let logger: Logger
    private let control: LinkConnection
    let faults: CallFaults
    /// Room for calls that are passed on, and answers on their way to the session worker.
    private let gate: PayloadGate
    private let answers: AnswerMeter
    lazy var announcer = Announcer(loop: self.loop, control: self.control, logger: self.logger) {
        [unowned self] in self.status.text
    }
    var configuration: UpstreamConfiguration
    let processes: ProcessThread
    /// How a server was spoken to that says nothing of it, for every lane.
    let memory = AddressMemory()
    /// The server's tokens, where it may want some.
    var oauth: OAuthDesk?
    /// Those that have been ended, as long as something of them is under way.
    var endingDesks: [ObjectIdentifier: OAuthDesk] = [:]
    /// The one that everybody shares. The server is listed over it.
    lazy var lane = self.makeLane(self.configuration, news: self.announcer)
    /// Those that belong to one session or principal each, and hear of their servers.
    var ownLanes = LaneTable<Lane>()
    var notes: [ObjectIdentifier: LaneNotes] = [:]
    /// Lanes that take nothing more, until nothing of them is left.
    var endingLanes: [ObjectIdentifier: Lane] = [:]
    var logLevel: JSONText?
    var isReading = true
    private var isMainFinished = false
    private var listener: LinkListener?
    private var links: [ObjectIdentifier: LinkConnection] = [:]
    /// How many session workers have somebody who waits for the server's news.
    private var keeps = 0 {
        didSet { self.lane.isKept = self.keeps > 0 }
    }
    var isStopping = false
    private var isFinished = false
    private var onFinished: [() -> Void] = []

    init(
        configuration: UpstreamConfiguration,
        processes: ProcessThread,
        loop: any EventLoop,
        control: LinkConnection,
        logger: Logger
    ) {
        var logger = logger
        logger[metadataKey: "mcp.upstream"] = "\(configuration.name)"
        self.loop = loop
        self.logger = logger
        self.control = control
        self.configuration = configuration
        self.processes = processes
        self.faults = CallFaults(upstream: configuration.name)
        self.gate = PayloadGate(limit: configuration.workerBytes, loop: loop)
        self.answers = AnswerMeter(limit: configuration.workerBytes, loop: loop)
        self.answers.onChange = { [weak self] isFull in
            self?.isReading = !isFull
            for lane in self?.everyLane ?? [] { lane.isReading = !isFull }
        }
    }

    var allLanes: [Lane] { [self.lane] + self.ownLanes.all }
    /// Those that are ending, too.
    private var everyLane: [Lane] { self.allLanes + self.endingLanes.values }

    private var status: UpstreamStatus {
        var status = self.lane.status
        if let report = self.oauth?.report { status.take(report) }
        status.lanes = self.ownLanes.count
        for lane in self.ownLanes.all where status.question == nil { status.question = lane.status.question }
        return status
    }

    // MARK: Start and end

    func serve(_ listener: LinkListener) {
        guard !self.isFinished else { return listener.close() }
        self.listener = listener
        if self.isStopping { listener.close() }
        self.announcer.stateChanged()
        self.openOAuth()
        self.lane.holdsGreeting = true
        self.loop.assumeIsolated().scheduleTask(in: Self.greetingTime) { [weak self] in self?.greet() }
        self.lane.start()
    }

    private func greet() { if self.lane.holdsGreeting { self.lane.holdsGreeting = false } }

    func accept(_ link: LinkConnection) {
        self.links[ObjectIdentifier(link)] = link
        link.meter = self.answers
        link.admission = LinkAdmission(gate: self.gate) { header in
            guard case .call(let call)? = UpstreamRequest(header) else { return "" }
            return call.session ?? ""
        }
        link.onOpen = { [weak self] in self?.opened($0) }
        link.onClose = { [weak self, unowned link] in self?.links[ObjectIdentifier(link)] = nil }
    }

    /// Takes a changed configuration; see ``Lane/reconfigure(_:)``.
    func reconfigure(_ configuration: UpstreamConfiguration) {
        self.gate.limit = configuration.workerBytes
        self.answers.limit = configuration.workerBytes
        let isSharedAnew = configuration.share != self.configuration.share
        let before = self.configuration
        self.configuration = configuration
        self.reopenOAuth(after: before)
        self.lane.reconfigure(configuration)
        for lane in Array(self.ownLanes.all) {
            if isSharedAnew { self.end(lane) } else { lane.reconfigure(Self.own(configuration)) }
        }
    }

    /// Takes no further calls, lets those under way finish for so long, and ends.
    func stop(within patience: TimeAmount) {
        guard !self.isStopping else { return }
        self.isStopping = true
        self.listener?.close()
        for link in self.links.values { link.keepToOneConnection() }
        for lane in self.everyLane { lane.stop(within: patience) }
    }

    /// Ends at once; calls under way are answered with what is known of them.
    func stopNow() {
        if !self.isStopping { self.listener?.close() }
        self.isStopping = true
        for lane in self.everyLane { lane.stopNow() }
    }

    func whenFinished(_ body: @escaping () -> Void) {
        if self.isFinished { body() } else { self.onFinished.append(body) }
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
        let deadline = NIODeadline.now() + Self.farewellTime
        for link in self.links.values {
            open += 1
            // Calls that are on their way are to be read, and told that they have not run.
            link.takeLeave(within: Self.farewellTime) {
                link.whenWritten(within: deadline - .now()) {
                    link.close()
                    over()
                }
            }
        }
        for desk in self.endingDesks.values {
            open += 1
            desk.whenClosed(within: Self.savingTime, over)
        }
        self.control.whenWritten(within: Self.farewellTime, over)
    }

    // MARK: What comes from session workers

    private func opened(_ exchange: Exchange) {
        switch UpstreamRequest(exchange.header) {
        case .call(let header): self.call(exchange, header)
        case .watch:
            self.announcer.watch(exchange)
            self.greet()
        case .level:
            exchange.end(header: UpstreamEnd.answered)
            guard let payload = exchange.payload, payload.readableBytes > 0,
                let level = JSONText(trusting: payload).value("level"), level.kind == .string
            else { return }
            self.logLevel = level.compacted
            for lane in self.allLanes { lane.set(logLevel: level.compacted) }
        case .propose(let name, let seconds):
            exchange.end(header: UpstreamEnd.answered)
            guard let revision = ProtocolRevision(name: name), seconds > 0 else { return }
            self.lane.propose(revision, for: .seconds(Int64(min(seconds, 1 << 30))))
        case .asks:
            exchange.end(header: UpstreamEnd.answered)
            self.lane.isKnownToAsk()
        case .found(let transport):
            exchange.end(header: UpstreamEnd.answered)
            guard case .http(let target) = self.configuration.transport,
                let dialect = RemoteTarget.Dialect(rawValue: transport)
            else { return }
            self.memory.told(dialect, of: target.url.value)
        case .retry:
            exchange.end(header: UpstreamEnd.answered)
            self.lane.wake()
        case .keep:
            exchange.delegate = AnswerWaiter { [weak self] _ in self?.keeps -= 1 }
            self.keeps += 1
        case nil:
            exchange.end(header: UpstreamEnd(failure: Fault.invalidRequest.word).text)
        }
    }

    private func call(_ exchange: Exchange, _ header: UpstreamCallHeader) {
        let isLogged = self.logger.logLevel <= .debug
        guard let call = UpstreamCall(exchange, header, isLogged: isLogged, now: .now()) else {
            let id = exchange.payload.flatMap {
                $0.readableBytes > 0 ? RPCMessage.recoverableID(of: JSONText(trusting: $0)) : nil
            }
            let fault = self.faults.invalid
            return exchange.end(header: UpstreamEnd(failure: fault.word).text, payload: fault.reply(to: id?.bytes))
        }
        // The server that has a task is asked about it, whoever's lane that is. Any lane knows of no other's tasks.
        if let life = header.life, life != 0 {
            return (self.allLanes.first { $0.life == life } ?? self.lane).take(call)
        }
        guard let owner = header.lane, self.configuration.share != .all else { return self.lane.take(call) }
        self.take(call, of: owner)
    }
}

extension UpstreamCore: LaneDelegate {
    func laneChanged(_ lane: Lane) {
        self.announcer.stateChanged()
        // Nobody has used it for long: its child is gone.
        if lane !== self.lane, lane.isIdle, lane.status.phase == .idle, self.ownLanes.owner(of: lane) != nil {
            self.end(lane)
        }
    }

    func laneFinished(_ lane: Lane) {
        if lane === self.lane { self.isMainFinished = true }
        _ = self.ownLanes.letGo(lane)
        self.endingLanes[ObjectIdentifier(lane)] = nil
        self.notes[ObjectIdentifier(lane)] = nil
        guard self.isMainFinished, self.ownLanes.count == 0, self.endingLanes.isEmpty, !self.isFinished else { return }
        self.isFinished = true
        self.endOAuth()
        // So that this is among the last words.
        self.announcer.stateChanged()
        self.loop.assumeIsolated().execute { self.farewell() }
    }
}
