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
    private let logger: Logger
    private(set) var configuration: UpstreamConfiguration
    private var identity: UpstreamIdentity?
    var own = OwnRequests()
    var upkeep: Upkeep
    var lists: Lists
    private var logLevel: JSONText?
    var complaints: Complaints
    private var outbox = Outbox()
    private(set) var isOver = false

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

    /// Begins with `initialize`.
    ///
    /// - Parameter number: a random one. Ids begin behind it, so that nothing that a server prints can guess them.
    func begin(idsBehind number: Int) {
        self.desk.begin(idsBehind: number)
        if self.desk.count > 0 { self.busy(true, now: .now()) }
        // Its time is that of the whole attempt.
        self.ask(.initialize, "initialize", Handshake.parameters(self.configuration), within: .longest)
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

    func set(logLevel: JSONText) {
        self.logLevel = logLevel
        self.sendLogLevel()
    }

    private func sendLogLevel() {
        guard let level = self.logLevel, self.identity?.logs == true else { return }
        let parameters = JSONWriter.object { $0.member("level", level) }
        self.ask(.logLevel, "logging/setLevel", parameters, within: self.configuration.timeouts.call)
    }

    // MARK: Time

    /// Whether further calls are held back: the server is busy, or it hangs.
    var isSilent: Bool { self.upkeep.isSilent }

    /// Calls are there, sent or not, or none is any more.
    func busy(_ isBusy: Bool, now: NIODeadline) { self.upkeep.busy(isBusy, now: now) }

    /// The server has said something, whatever it is.
    ///
    /// - Returns: whether that was being waited for.
    func heard() -> Bool { self.upkeep.heard(now: .now()) }

    /// When ``tick(_:)`` has something to do at the earliest. While ``isSilent``, also as soon as no call is under way.
    var nextDeadline: NIODeadline? { [self.own.nextDeadline, self.upkeep.next].compactMap { $0 }.min() }

    func tick(_ now: NIODeadline) {
        for (id, purpose) in self.own.expire(now: now) {
            self.desk.giveUp(reserved: id)
            if purpose != .initialize { self.say(ClientMessage.cancelled(id: id, reason: "timeout")) }
            // That a ping went unanswered is for the upkeep to judge.
            if purpose != .ping { self.failed(purpose, "it did not answer in time") }
        }
        guard !self.isOver else { return }
        for task in self.upkeep.due(now: now, callsUnderWay: self.desk.sentCount > 0) {
            switch task {
            case .list(let offering): self.list(offering)
            case .ping: self.ping()
            case .hold: self.logger.info("upstream says nothing; further calls wait")
            case .mute: self.delegate?.conversationFailed(self, "it did not answer a ping in time")
            case .unused: self.delegate?.conversationUnused(self)
            }
        }
    }

    private func ping() {
        // One that speaks and answers no pings would leave one for each interval.
        for id in self.own.takeAll(.ping) { self.desk.giveUp(reserved: id) }
        self.ask(.ping, "ping", nil, within: .longest)
    }

    // MARK: Saying

    /// Sends what the bridge has to say for itself, as long as the connection takes it. It goes before any further call.
    func send(on connection: any Connection) { self.outbox.send(on: connection) }

    func say(_ message: JSONText) {
        guard !self.isOver else { return }
        self.outbox.add(message)
        self.delegate?.conversationHasMessages(self)
        if self.outbox.isFull { self.delegate?.conversationFailed(self, "it does not read its input") }
    }

    private func ask(_ purpose: OwnRequests.Purpose, _ method: String, _ parameters: JSONText?, within limit: Seconds) {
        let id = self.desk.reserveID()
        self.own.add(id, purpose, deadline: .now() + limit.timeAmount)
        self.say(ClientMessage.request(id: id, method: method, parameters: parameters))
        self.delegate?.conversationDeadlinesChanged(self)
    }

    // MARK: The bridge's own requests

    func answered(_ purpose: OwnRequests.Purpose, _ message: RPCMessage) {
        guard let span = message.result else {
            let reason = message.error.flatMap { message.text[$0].string("message") } ?? "no reason given"
            let printable = ForeignText.printable(ByteBuffer(string: reason), limit: 256)
            return self.failed(purpose, "it answered with an error: \(printable)")
        }
        switch purpose {
        case .initialize: self.initialized(message.text[span])
        case .list(let offering): self.listed(offering, message.text[span])
        case .ping, .logLevel: break
        }
    }

    func failed(_ purpose: OwnRequests.Purpose, _ reason: String) {
        guard !self.isOver else { return }
        switch purpose {
        case .initialize: self.delegate?.conversationFailed(self, "initialize failed: \(reason)")
        case .list(let offering): self.listFailed(offering, "\(offering.listMethod) failed: \(reason)")
        case .ping: break  // an error is a sign of life
        case .logLevel: self.logger.debug("upstream did not take a log level", metadata: ["error": "\(reason)"])
        }
    }

    private func initialized(_ result: JSONText) {
        guard self.identity == nil else { return }
        let identity: UpstreamIdentity
        do {
            identity = try Handshake.read(result)
        } catch {
            self.delegate?.conversationFailed(self, error.reason)
            return
        }
        self.identity = identity
        self.delegate?.conversation(self, connectedTo: identity)
        self.say(ClientMessage.notification(method: "notifications/initialized"))
        self.sendLogLevel()
        let now = NIODeadline.now()
        self.upkeep.connected(lists: self.lists.offerings.filter(identity.lists), now: now)
        for offering in self.lists.offerings where !identity.lists(offering) { self.publish(Listing(of: offering)) }
        self.tick(now)
        self.delegate?.conversationDeadlinesChanged(self)
    }
}

// MARK: - Lists

extension Conversation {
    private func list(_ offering: Offering) {
        self.lists.begin(offering)
        self.askForPage(of: offering, nil)
    }

    private func askForPage(of offering: Offering, _ parameters: JSONText?) {
        self.ask(.list(offering), offering.listMethod, parameters, within: self.configuration.timeouts.list)
    }

    private func listed(_ offering: Offering, _ result: JSONText) {
        guard let (step, listing) = self.lists.page(result, of: offering) else { return }
        switch step {
        case .next(let cursor): self.askForPage(of: offering, JSONWriter.object { $0.member("cursor", cursor) })
        case .complete: self.publish(listing)
        case .failed(let reason): self.listFailed(offering, reason)
        }
    }

    private func publish(_ listing: Listing) {
        self.delegate?.conversation(self, listed: listing)
        self.listOver(listing.offering, succeeded: true)
    }

    private func listFailed(_ offering: Offering, _ reason: String) {
        self.logger.warning("upstream could not be listed", metadata: ["error": "\(reason)"])
        self.delegate?.conversation(self, couldNotList: offering, reason)
        self.listOver(offering, succeeded: false)
    }

    private func listOver(_ offering: Offering, succeeded: Bool) {
        self.upkeep.listFinished(offering, succeeded: succeeded, now: .now())
        if self.lists.over(offering) { self.delegate?.conversationReady(self) }
        self.delegate?.conversationDeadlinesChanged(self)
    }
}
