import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// The session worker's view of one upstream: the link to its worker, what it lists, how it is doing.
///
/// Confined to the event loop.
final class UpstreamLink {
    unowned var delegate: (any UpstreamLinkDelegate)?
    var route: UpstreamRoute
    private(set) var takesLogLevel = false
    /// What the server said of itself when it was last connected to; nothing before.
    private(set) var capabilities = JSONText.emptyObject
    private(set) var instructions: String?
    /// Whether it has resources, as far as is known.
    private(set) var hasResources = false
    /// Whether the configuration has no such upstream any more.
    private(set) var isClosed = false

    private let offerings: [Offering]
    /// The upstream's own entries; none of an offering that has not been listed, now or in an earlier life (the warm cache).
    private var lists: [Offering: [JSONText]]
    private var isRetired = false
    /// Calls under way. A retired upstream is closed after the last of them.
    private var calls = 0
    let loop: any EventLoop
    let dialer: LinkDialer
    var watch: Exchange?
    /// For as long as ``isKept`` is true.
    private var keeping: Exchange?
    private var phase = UpstreamPhase.connecting
    private var wasWoken = false
    private var patience: ListPatience
    private var level: LogSeverity?
    /// What went wrong with it last.
    private(set) var lastError: String?
    /// What its server wants to have proposed.
    private(set) var proposal: RevisionProposal?
    /// Whether its server asks in the middle of calls, as far as is known.
    private(set) var asks: Bool
    /// By which transport its server was found to speak, where its address says nothing of it.
    private(set) var transport: String?
    var tally = CallTally()

    /// - Parameters:
    ///   - warm: what it listed in an earlier life.
    ///   - proposal: what its server wanted to have proposed then.
    ///   - asks: whether it asked in the middle of calls then.
    ///   - transport: by which its server was found to speak then.
    init(
        route: UpstreamRoute, offerings: [Offering], warm: [Offering: [JSONText]], proposal: RevisionProposal?,
        asks: Bool = false, transport: String? = nil, listWait: Seconds, loop: any EventLoop, logger: Logger
    ) {
        self.route = route
        self.offerings = offerings
        self.lists = warm
        self.proposal = proposal
        self.asks = asks
        self.transport = transport
        self.hasResources = [Offering.resources, .templates].contains { warm[$0]?.isEmpty == false }
        self.patience = ListPatience(listWait, from: .now())
        self.loop = loop
        self.dialer = LinkDialer(path: route.socket, loop: loop, logger: logger)
        self.dialer.onConnected = { [unowned self] link in
            self.propose(over: link)
            self.watch = link.open(header: Self.watchRequest, delegate: self)
            if let level = self.level { self.send(level: level) }
            self.beginToKeep()
        }
    }

    deinit {
        self.dialer.onConnected = nil
        self.dialer.onLost = nil
    }

    static let watchRequest = UpstreamRequest.watch.text
    private static let asksRequest = UpstreamRequest.asks.text
    private static let retryRequest = UpstreamRequest.retry.text
    private static let keepRequest = UpstreamRequest.keep.text
    private static let levelRequest = UpstreamRequest.level.text

    /// Before it watches, so that the worker knows it when it greets its server.
    private func propose(over link: LinkConnection) {
        if self.asks { _ = link.open(header: Self.asksRequest, delegate: AnswerWaiter { _ in }) }
        if let transport {
            _ = link.open(header: UpstreamRequest.found(transport: transport).text, delegate: AnswerWaiter { _ in })
        }
        guard let proposal, let seconds = proposal.remaining(now: WallClock.seconds()) else { return }
        let request = UpstreamRequest.propose(revision: proposal.revision.name, seconds: Int(seconds))
        _ = link.open(header: request.text, delegate: AnswerWaiter { _ in })
    }

    /// Whether its server is there, or about to be, as far as is known.
    var isRunning: Bool {
        switch self.phase {
        case .ready, .connecting: true
        case .idle, .backoff, .failed, .stopped, .signIn, .signingIn, .tokensRefused, .misconfigured: false
        }
    }

    /// Whether its worker is there.
    var isConnected: Bool { self.dialer.isConnected }

    func start() { self.dialer.start() }

    /// Lets an upstream go that the configuration has no more: calls under way may finish, as long as its worker lives.
    func retire() {
        self.isRetired = true
        self.delegate = nil
        self.dialer.onLost = { [unowned self] in self.close() }
        // Without a link every call of it still waits, and would wait for ever.
        if self.calls == 0 || !self.dialer.isConnected { self.close() }
    }

    func close() {
        self.isClosed = true
        self.delegate = nil
        self.dialer.close()
    }

    /// Opens an exchange with the upstream's worker, waiting for the worker if it is away.
    func open(
        header: JSONText, payload: ByteBuffer?, hold: PayloadHold? = nil, delegate: any ExchangeDelegate
    ) -> Exchange {
        self.dialer.open(header: header, payload: payload, hold: hold, delegate: delegate)
    }

    func callBegan() { self.calls += 1 }

    func callEnded() {
        self.calls -= 1
        if self.isRetired, self.calls == 0 { self.close() }
    }

    /// Whether more is read of what its worker sends. While too many answers wait for the front, nothing is.
    var isReading: Bool {
        get { self.dialer.isReading }
        set { self.dialer.isReading = newValue }
    }

    /// Whether its server is to be connected though nobody calls it: somebody waits for its news.
    var isKept = false {
        didSet { if self.isKept != oldValue { self.beginToKeep() } }
    }

    /// Says so on the link that there is; with each link anew.
    private func beginToKeep() {
        self.keeping?.cancel(reason: "nobody waits for its news any more, or by another link")
        self.keeping = nil
        guard self.isKept, self.dialer.isConnected else { return }
        self.keeping = self.open(header: Self.keepRequest, payload: nil, delegate: AnswerWaiter { _ in })
    }

    // MARK: Lists

    /// The upstream's own entries; nil until they have been listed.
    func list(of offering: Offering) -> [JSONText]? { self.lists[offering] }

    /// Another program runs now: what was listed is not what it will list. Lists wait for that, as at the start.
    func forgetLists(listWait: Seconds) {
        self.lists = [:]
        self.capabilities = .emptyObject
        self.instructions = nil
        self.hasResources = false
        self.takesLogLevel = false
        self.proposal = nil
        self.asks = false
        self.transport = nil
        self.lastError = nil
        self.awaitAnew(listWait)
        self.wasWoken = false
    }

    private func awaitAnew(_ listWait: Seconds) {
        self.phase = .connecting
        self.patience = ListPatience(listWait, from: .now())
    }

    /// Until when a list should wait for this upstream, which has never been listed, and may yet be in time; nil where not.
    ///
    /// - Parameter isBare: whether nobody has listed anything yet.
    func awaitedUntil(for offering: Offering, isBare: Bool, now: NIODeadline) -> NIODeadline? {
        self.lists[offering] == nil ? self.patience.end(in: self.phase, isBare: isBare, now: now) : nil
    }

    /// Whether it has listed nothing, of any kind.
    var isBare: Bool { self.lists.values.allSatisfy(\.isEmpty) }

    /// Whether it answers nobody before somebody has signed in.
    var needsSignIn: Bool { self.phase == .signIn || self.phase == .signingIn }

    /// Whether a call after a sign-in would come to it: what it has is known, or will not be soon.
    var isThereAfterSignIn: Bool { !self.needsSignIn && (self.lists[.tools] != nil || !self.isRunning) }

    /// Why it has never been listed.
    var hindrance: String {
        if let error = self.lastError { return error }
        switch self.phase {
        case .idle: return "it has not been started yet"
        case .connecting, .ready: return "it is starting, and has not listed its tools yet"
        case .backoff, .failed: return "it could not be started"
        case .signIn: return "somebody has to sign in"
        case .signingIn: return "somebody is signing in"
        case .tokensRefused: return "it refuses its own authorization server's tokens"
        case .misconfigured: return "its OAuth is configured wrongly"
        case .stopped: return "it is being stopped"
        }
    }

    /// Wakes an upstream that starts on demand and has never been listed; a list then waits for it once.
    ///
    /// - Parameter again: false where the same lists may have woken it already.
    func wake(for offering: Offering, listWait: Seconds, again: Bool = true) {
        guard self.lists[offering] == nil, self.phase == .idle, again || !self.wasWoken else { return }
        self.wasWoken = true
        self.awaitAnew(listWait)
        _ = self.open(header: Self.retryRequest, payload: nil, delegate: AnswerWaiter { _ in })
    }

    /// Whether its tools can be called as tasks, as far as is known. Before it has been connected to, its definitions say so:
    /// its worker takes that word from those of a server which has no tasks.
    var hasTasks: Bool {
        guard self.capabilities == .emptyObject else { return TaskSupport.isDeclared(in: self.capabilities) }
        return (self.lists[.tools] ?? []).contains { TaskSupport(of: $0) != .forbidden }
    }

    // MARK: Levels

    /// Tells the upstream, now and after each restart of its worker, which level its clients want.
    func set(level: LogSeverity) {
        guard level != self.level else { return }
        self.level = level
        if self.dialer.isConnected { self.send(level: level) }
    }

    private func send(level: LogSeverity) {
        let payload = JSONWriter.object { $0.member("level", level.rawValue) }
        _ = self.open(header: Self.levelRequest, payload: payload.bytes, delegate: AnswerWaiter { _ in })
    }

    // MARK: News

    func heard(_ news: UpstreamNews, _ payload: JSONText) {
        switch news {
        case .state:
            self.lastError = payload.string("lastError")
            let asks = payload.value("asks")?.bool ?? false
            if asks, !self.asks {
                self.asks = true
                self.delegate?.upstreamAsks(self)
            }
            guard let phase = payload.string("phase").flatMap(UpstreamPhase.init(rawValue:)), phase != self.phase
            else { return }
            self.phase = phase
            self.delegate?.upstreamSettled(self)
        case .identity:
            self.keep(proposed: payload.string("proposed").flatMap { ProtocolRevision(name: $0) })
            self.transport = payload.string("transport")
            self.instructions = payload.string("instructions")
            self.identified(capabilities: payload.value("capabilities") ?? .emptyObject)
        case .catalogue(let name):
            guard let offering = self.offerings.first(where: { $0.name == name }) else { return }
            var entries: [JSONText] = []
            payload.elements { entries.append(payload[$0]) }
            self.lists[offering] = entries
            self.delegate?.upstream(self, listed: offering)
        case .note(let owner):
            self.delegate?.upstream(self, noted: payload.bytes, for: owner)
        case .taskNote(let life):
            self.delegate?.upstream(self, noted: payload.bytes, ofTaskIn: life)
        }
    }

    /// A proposal that is known already holds no longer for that.
    private func keep(proposed: ProtocolRevision?) {
        guard proposed != self.proposal?.revision || self.proposal?.remaining(now: WallClock.seconds()) == nil
        else { return }
        self.proposal = proposed.map {
            RevisionProposal($0, expires: WallClock.seconds() + RevisionProposal.lifetimeSeconds)
        }
    }

    /// What a server does not say it has is never listed: nobody waits for it, and what was listed before is no more. Of what
    /// it is asked for anyway, its worker tells what came of that.
    private func identified(capabilities: JSONText) {
        self.capabilities = capabilities
        self.hasResources = capabilities.member("resources") != nil
        self.takesLogLevel = capabilities.member("logging") != nil
        self.delegate?.upstreamIdentified(self)
        for offering in self.offerings where capabilities.member(named: offering.capability) == nil {
            guard !offering.isAskedForAnyway, self.lists[offering]?.isEmpty != true else { continue }
            self.lists[offering] = []
            self.delegate?.upstream(self, listed: offering)
        }
    }
}
