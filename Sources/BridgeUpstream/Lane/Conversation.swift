import BridgeConfiguration
import BridgeCore
import BridgeMCP
import Logging
import NIOCore

/// What one server and the bridge say to each other over one connection, from its opening to its loss: the handshake,
/// lists, pings, questions and answers. The calls themselves are the desk's.
///
/// Confined to its event loop.
final class Conversation {
    weak var delegate: (any ConversationDelegate)?
    private(set) weak var news: (any LaneNews)?
    let desk: CallDesk
    let logger: Logger
    private(set) var configuration: UpstreamConfiguration
    var identity: UpstreamIdentity?
    var own = OwnRequests()
    var upkeep: Upkeep
    var lists: Lists
    /// Of what the server says that it changes, and it does not; and of what that has been logged.
    var misleading: Set<Offering> = []
    var reported: Set<Offering> = []
    private var logLevel: JSONText?
    /// The one that the server has been told last.
    private var toldLevel: JSONText?
    var complaints: Complaints
    private var outbox = Outbox()
    var excuses = Excuses()
    var cancelledTasks = RecentNames()
    private(set) var isOver = false
    /// Whether what the server says is read. While it is not, its silence says nothing.
    var isReading = true {
        didSet { if self.isReading, !oldValue { self.own.postpone(to: .now() + Self.readingTime) } }
    }
    /// What waited to be read is read in this time.
    static let readingTime = TimeAmount.seconds(5)
    /// - Parameters:
    ///   - offerings: what is listed, of any server.
    ///   - logLevel: the level that clients want, a JSON string.
    init(
        _ configuration: UpstreamConfiguration, offerings: [Offering], desk: CallDesk, news: (any LaneNews)?,
        logLevel: JSONText?, logger: Logger
    ) {
        self.configuration = configuration
        self.lists = Lists(offerings)
        self.desk = desk
        self.news = news
        self.logLevel = logLevel
        self.logger = logger
        self.complaints = Complaints(logger: logger)
        self.upkeep = Upkeep(Upkeep.Intervals(configuration))
    }

    /// The connection is lost: nothing is said or heard any more.
    func end() {
        self.isOver = true
        self.outbox.clear()
    }

    /// Takes a configuration that the server need not know of.
    func reconfigure(_ configuration: UpstreamConfiguration) {
        self.configuration = configuration
        self.upkeep.intervals = Upkeep.Intervals(configuration)
    }

    /// Who asks is somebody else now: lists that were put off are asked for.
    func askAnew(now: NIODeadline) {
        self.upkeep.askAnew(now: now)
        self.delegate?.conversationDeadlinesChanged(self)
    }

    func set(logLevel: JSONText) {
        self.logLevel = logLevel
        self.sendLogLevel()
    }

    /// Tells the server the level that clients want. A server that is busy finds one of them when it is not, and then the
    /// newest: not all that there were.
    func sendLogLevel() {
        guard let level = self.logLevel, level != self.toldLevel, self.identity?.logs == true,
            !self.own.contains(.logLevel)
        else { return }
        self.toldLevel = level
        let parameters = JSONWriter.object { $0.member("level", level) }
        self.ask(.logLevel, "logging/setLevel", parameters, within: self.configuration.timeouts.call)
    }

    // MARK: Time

    /// Whether further calls are held back: the server is busy, or it hangs.
    var isSilent: Bool { self.upkeep.isSilent }

    /// Calls are there, sent or not, or none is any more.
    func busy(_ isBusy: Bool, now: NIODeadline) { self.upkeep.busy(isBusy, now: now) }

    /// Whether it is not to be let go though nobody calls.
    func keep(_ isKept: Bool, now: NIODeadline) { self.upkeep.keep(isKept, now: now) }

    /// The server has said something, whatever it is.
    ///
    /// - Returns: whether that was being waited for.
    func heard() -> Bool { self.upkeep.heard(now: .now()) }

    /// When ``tick(_:)`` has something to do at the earliest. While ``isSilent``, also as soon as no call is under way.
    var nextDeadline: NIODeadline? {
        [self.isReading ? self.own.nextDeadline : nil, self.upkeep.next, self.desk.tasks.nextDeadline].compactMap { $0 }
            .min()
    }

    func tick(_ now: NIODeadline) {
        for (id, purpose) in self.isReading ? self.own.expire(now: now) : [] {
            self.giveUp(id)
            if purpose != .initialize { self.notify(ClientMessage.cancelled(id: id, reason: "timeout")) }
            // That a ping went unanswered is for the upkeep to judge.
            if purpose != .ping { self.failed(purpose, self.lateness(of: purpose)) }
        }
        guard !self.isOver else { return }
        // Whoever is asked takes their time, and the server waits for that. What is not read may be anything.
        if self.desk.isAsking || !self.isReading { _ = self.heard() }
        self.expireTasks(now)
        for task in self.upkeep.due(now: now, callsUnderWay: self.desk.hurriedCount > 0) {
            switch task {
            case .list(let offering): self.list(offering)
            case .ping: self.ping()
            case .hold: self.logger.info("upstream says nothing; further calls wait")
            case .mute:
                let limit = self.configuration.timeouts.ping.words
                self.delegate?.conversationFailed(self, "it did not answer a ping within \(limit) (timeouts.ping)")
            case .unused: self.delegate?.conversationUnused(self)
            }
        }
    }

    private func ping() {
        // One that speaks and answers no pings would leave one for each interval.
        for id in self.own.takeAll(.ping) { self.giveUp(id) }
        self.ask(.ping, "ping", nil, within: .longest)
    }

    private func giveUp(_ id: Int) {
        self.desk.giveUp(reserved: id)
        self.delegate?.conversation(self, gaveUp: id)
    }

    /// The server has forgotten what was agreed upon: nothing that was said to it, or was going to be, counts any more.
    func forget() {
        self.identity = nil
        self.toldLevel = nil
        for id in self.own.removeAll() { self.giveUp(id) }
        self.outbox.clear()
        self.lists = Lists(self.lists.offerings)
        self.upkeep.disconnected()
        self.excuses = Excuses()
        self.cancelledTasks = RecentNames()
        self.desk.withdrawQuestions(now: .now())
    }

    // MARK: Saying

    /// Sends what the bridge has to say for itself, as long as the connection takes it. It goes before any further call.
    func send(on connection: any Connection) { self.outbox.send(on: connection) }

    /// - Parameter request: the message's id, where it is a request.
    func say(_ message: JSONText, request: Int? = nil) {
        guard !self.isOver else { return }
        self.outbox.add(message, request: request)
        self.delegate?.conversationHasMessages(self)
        if self.outbox.isFull { self.delegate?.conversationFailed(self, "it does not read its input: \(Outbox.limit)") }
    }

    /// Says what answers a question of the server's, mostly in a client's words.
    func say(answer: JSONText) {
        guard !self.isOver else { return }
        guard self.outbox.hasRoom(forAnswer: answer.count) else {
            if let refusal = QuestionReply.noRoom(for: answer) { self.say(refusal) }
            return
        }
        self.outbox.add(answer: answer)
        self.delegate?.conversationHasMessages(self)
    }

    /// Says something that no answer is expected to.
    func notify(_ message: JSONText) {
        self.excuses.notified(behind: self.desk.lastID)
        self.say(message)
    }

    func ask(_ purpose: OwnRequests.Purpose, _ method: String, _ parameters: JSONText?, within limit: Seconds) {
        let id = self.desk.reserveID()
        self.own.add(id, purpose, deadline: .now() + limit.timeAmount)
        self.say(ClientMessage.request(id: id, method: method, parameters: parameters), request: id)
        self.delegate?.conversationDeadlinesChanged(self)
    }
}
