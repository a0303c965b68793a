import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

/// Hears of one keeper, on the event loop.
protocol ConnectionKeeperDelegate: AnyObject {
    /// Its status is another one, and perhaps its deadlines.
    func keeperChanged(_ keeper: ConnectionKeeper)

    /// ``ConnectionKeeper/nextDeadline`` may be earlier now.
    func keeperDeadlinesChanged(_ keeper: ConnectionKeeper)

    /// It is stopped, and nothing of it is left. Said once.
    func keeperFinished(_ keeper: ConnectionKeeper)
}

/// Connects to an upstream, and again when that is lost, as its lifecycle decides.
///
/// What is said over a connection is its ``Conversation``'s; what goes over it is sent here. Confined to its event loop.
final class ConnectionKeeper {
    typealias Maker = (UpstreamConfiguration) -> (any Connection)?

    unowned var delegate: (any ConnectionKeeperDelegate)?
    private(set) weak var news: (any LaneNews)?
    private let loop: any EventLoop
    let logger: Logger
    private let makeConnection: Maker
    let offerings: [Offering]
    let desk: CallDesk
    private(set) var configuration: UpstreamConfiguration
    var lifecycle: UpstreamLifecycle
    /// From its start until nothing of it is left.
    var connection: (any Connection)?
    /// While the connection is open.
    var conversation: Conversation?
    var logLevel: JSONText?
    var record = LaneRecord()
    var proposals = Proposals()
    var patience = ConnectPatience()
    private var reconnectTime: NIODeadline?
    var attemptDeadline: NIODeadline?
    /// Until when the server is not greeted since it wants that later, and its words.
    var hold: (end: NIODeadline, reason: String)?
    private var isSendingScheduled = false

    /// Whether calls stay where they are.
    var holdsCalls = false
    /// Whether it is of use to calls alone: without any it is not tried again by itself.
    var isForCallsAlone = false
    var isNeeded: Bool { !self.isForCallsAlone || self.desk.count > 0 }
    /// Whether nothing is to follow what there is.
    var isStopping = false
    /// Whether servers are not greeted yet: somebody may still say what they want to have proposed.
    var holdsGreeting = false {
        didSet { if !self.holdsGreeting { self.greet() } }
    }
    var hasGreeted = false
    /// Whether the connection is wanted though nobody calls.
    var isKept = false {
        didSet {
            guard self.isKept != oldValue else { return }
            self.conversation?.keep(self.isKept, now: .now())
            if self.isKept { self.wake() }
            self.delegate?.keeperDeadlinesChanged(self)
        }
    }
    /// Whether what the server says is read.
    var isReading = true {
        didSet {
            guard self.isReading != oldValue else { return }
            self.connection?.isReading = self.isReading
            self.conversation?.isReading = self.isReading
            guard self.isReading else { return }
            self.attemptDeadline = self.attemptDeadline.map { max($0, .now() + Conversation.readingTime) }
            self.delegate?.keeperDeadlinesChanged(self)
        }
    }

    init(
        _ configuration: UpstreamConfiguration, offerings: [Offering], desk: CallDesk, loop: any EventLoop,
        logger: Logger, news: any LaneNews, makeConnection: @escaping Maker
    ) {
        self.configuration = configuration
        self.offerings = offerings
        self.desk = desk
        self.loop = loop
        self.logger = logger
        self.news = news
        self.makeConnection = makeConnection
        self.lifecycle = UpstreamLifecycle(policy: configuration.reconnect)
    }

    var status: UpstreamStatus {
        self.record.status(self.configuration, self.lifecycle, self.connection, isOpen: self.conversation != nil)
    }

    // MARK: What is wanted

    func start() { self.perform(self.lifecycle.start()) }

    /// A list is wanted.
    func wake() { self.perform(self.lifecycle.wanted()) }

    /// There is a reason to try again now.
    func hurry() { self.perform(self.lifecycle.needed(now: .now())) }

    /// A call is there.
    func callArrived(now: NIODeadline) {
        if self.desk.count == 1 { self.conversation?.busy(true, now: now) }
        if self.lifecycle.isConnected { self.sendSoon() } else { self.perform(self.lifecycle.needed(now: now)) }
    }

    /// The last call is over.
    func callsOver() { if self.desk.tasks.isEmpty { self.conversation?.busy(false, now: .now()) } }

    /// Whether the server says nothing. Then it is given up as soon as no call is under way.
    var isSilent: Bool { self.conversation?.isSilent ?? false }

    /// Why a call has not been sent.
    var hindrance: String {
        self.isSilent ? "it says nothing, it is busy or hangs" : self.record.lastError ?? "it takes no input"
    }

    /// - Parameter task: that has been made for the request. It is what is cancelled then (basic/utilities/cancellation).
    func tellCancelled(_ id: Int, task: String?, reason: String) {
        if let task {
            self.conversation?.cancel(task: task)
        } else {
            self.conversation?.notify(ClientMessage.cancelled(id: id, reason: reason))
        }
        self.connection?.giveUp(id)
    }

    func say(answer: JSONText) { self.conversation?.say(answer: answer) }

    /// What the server is told in the place of a client that cannot be asked.
    func declined(_ question: Questions.Open) -> JSONText {
        self.conversation?.declined(question.method, wantsTask: question.wantsTask, id: question.id)
            ?? QuestionReply.declined(question)
    }

    /// - Parameter logLevel: the level that clients want of the upstream, a JSON string.
    func set(logLevel: JSONText) {
        self.logLevel = logLevel
        self.conversation?.set(logLevel: logLevel)
    }

    /// Which revision the server wanted to have proposed in an earlier life, and for how long that holds.
    func propose(_ revision: ProtocolRevision, for lifetime: TimeAmount) {
        self.proposals.told(revision, for: lifetime, now: .now())
    }

    /// Takes a changed configuration, which the connection that there is need not know of.
    func reconfigure(_ configuration: UpstreamConfiguration) {
        let isOther = self.configuration.transport != configuration.transport
        self.configuration = configuration
        self.conversation?.reconfigure(configuration)
        self.connection?.adopt(configuration)
        self.perform(self.lifecycle.reconfigured(policy: configuration.reconnect, reconnect: false))
        if isOther { self.askAnew() }
    }

    /// Connects anew.
    func restart() {
        self.record.replaced()
        self.proposals = Proposals()
        self.patience = ConnectPatience()
        self.perform(self.lifecycle.reconfigured(policy: self.configuration.reconnect, reconnect: true))
        self.sendSoon()
    }

    func stop() { self.perform(self.lifecycle.stop()) }

    func stopNow() {
        self.connection?.end(.now)
        self.stop()
    }

    // MARK: Time

    /// When ``tick(_:)`` has something to do at the earliest.
    var nextDeadline: NIODeadline? {
        [self.conversation?.nextDeadline, self.isReading ? self.attemptDeadline : nil, self.reconnectTime].compactMap {
            $0
        }.min()
    }

    func tick(_ now: NIODeadline) {
        if let deadline = self.attemptDeadline, now >= deadline, self.isReading {
            self.lost(self.patience.exceeded(self.configuration.timeouts))
        }
        self.conversation?.tick(now)
        if let time = self.reconnectTime, now >= time {
            self.reconnectTime = nil
            self.perform(self.lifecycle.delayOver(now: now, isNeeded: self.isNeeded))
        }
    }

    // MARK: Sending

    /// Sends at the end of this turn of the event loop, everything at once.
    func sendSoon() {
        guard !self.isSendingScheduled else { return }
        self.isSendingScheduled = true
        self.loop.assumeIsolated().execute { self.send() }
    }

    private func send() {
        self.isSendingScheduled = false
        guard let connection, let conversation, connection.takesOwnWords else { return }
        conversation.send(on: connection)
        if self.lifecycle.isConnected, conversation.identity != nil, !self.holdsCalls, !conversation.isSilent {
            self.desk.send(on: connection)
        }
        connection.flush()
    }

    // MARK: Actions

    /// - Parameter manner: how a connection that is to be ended is treated.
    func perform(_ action: UpstreamLifecycle.Action, manner: EndManner = .politely) {
        switch action {
        case .none: break
        case .connect: self.connect()
        case .end(let failWaiting): self.endConnection(failWaiting: failWaiting, manner)
        case .wait(let until): self.reconnectTime = until
        case .refuse: self.desk.failWaiting(self.record.lastError ?? "it is stopped")
        case .finish: self.delegate?.keeperFinished(self)
        }
        self.delegate?.keeperChanged(self)
    }

    private func connect() {
        self.reconnectTime = nil
        self.hold = nil
        guard let connection = self.makeConnection(self.configuration) else {
            self.record.lastError =
                "upstreams of kind '\(self.configuration.transport.kind)' are not served by this version"
            return self.perform(self.lifecycle.unservable())
        }
        self.attemptDeadline = .now() + self.patience.limit(self.configuration.timeouts).timeAmount
        connection.delegate = self
        connection.isReading = self.isReading
        self.connection = connection
        connection.start()
    }

    /// The connection is of no use any more.
    ///
    /// - Parameter peace: for how long the server wants to be left in peace, where it has said so.
    func lost(_ reason: String, needsSignIn: Bool = false, peace: TimeAmount? = nil) {
        let reason = self.connection?.masked(reason) ?? reason
        self.record.lastError = reason
        self.record.needsSignIn = needsSignIn
        if self.attemptDeadline != nil, peace == nil { self.proposals.failed() }
        self.logger.warning("upstream closed; scheduling reconnect", metadata: ["error": "\(reason)"])
        self.endConversation(reason, retryAfter: peace.map(RetryAfter.seconds))
        self.perform(
            self.lifecycle.lost(
                callsWait: self.desk.hasWaiting, peace: peace, now: .now(), random: .random(in: 0..<1)),
            manner: .promptly
        )
    }

    private func endConnection(failWaiting: Bool, _ manner: EndManner) {
        self.endConversation("it was stopped")
        let now = NIODeadline.now()
        let peace = self.lifecycle.peace(now: now)
        if failWaiting || peace != nil {
            self.desk.failWaiting(
                self.isStopping ? "it is being stopped" : self.record.lastError ?? "it ended",
                retryAfter: peace.map(RetryAfter.seconds),
                until: failWaiting ? .distantFuture : now + (peace ?? .zero))
        }
        self.connection?.end(manner)
    }

    /// Forgets what belonged to the connection, and answers the calls that were sent on it.
    private func endConversation(_ reason: String, retryAfter: Int? = nil) {
        self.attemptDeadline = nil
        self.conversation?.end()
        self.conversation = nil
        for request in self.connection?.unsentRequests ?? [] {
            self.desk.lost(request, RequestLoss(reason: reason, sent: false, retryAfter: retryAfter))
        }
        self.desk.connectionLost(reason)
    }
}
