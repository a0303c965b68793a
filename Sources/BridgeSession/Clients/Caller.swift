import BridgeConfiguration
import BridgeCore
import BridgeMCP
import NIOCore

/// On whose behalf a request is: all that has to be known of a client to serve it. A session has one for all its requests.
///
/// Confined to the event loop.
final class Caller {
    /// What becomes of requests whose connection is lost.
    enum Disconnect {
        /// They go on, and what their client missed is kept here until it comes back.
        case goOn(keeping: KeptStreams)
        /// They are cancelled: nobody could fetch what comes of them.
        case cancel
    }

    private(set) var revision: ProtocolRevision
    private(set) var capabilities: SessionClaims.Capabilities
    let principal: String
    /// Its session's, where it has one.
    let number: UInt64?
    /// A short digest of its session, for logs.
    private(set) var session: String?
    /// Whether lists show the safe spelling of names, where the request says nothing else.
    private(set) var showsSafeNames: Bool
    let onDisconnect: Disconnect
    /// What it sees of MCP; nil for all of it.
    var view: ScopedView?
    /// How many calls its principal may have under way at once, in all its sessions.
    var concurrency: Int?
    /// Whether its principal may answer requests for models.
    private(set) var mayLend = false
    /// Whether it does by the word of the command that carries it.
    private(set) var lends = false
    /// Whether its principal may sign in for the service.
    var isOwner = false
    /// The level of log messages that it has asked for.
    var level: LogSeverity?
    private(set) var calls: [RPCID: Call] = [:]
    /// Requests that have had no answer yet, wherever they wait for it. Its streams count.
    var unanswered = 0
    /// What its client is being asked.
    var questions = OpenQuestions<any QuestionAsker>()
    /// Under which it tells of its progress with that.
    var questionTokens = QuestionTokens<Call>()

    init(
        revision: ProtocolRevision, capabilities: SessionClaims.Capabilities, principal: String, session: String?,
        showsSafeNames: Bool, onDisconnect: Disconnect, level: LogSeverity? = nil, number: UInt64? = nil
    ) {
        self.revision = revision
        self.capabilities = capabilities
        self.principal = principal
        self.session = session
        self.number = number
        self.showsSafeNames = showsSafeNames
        self.onDisconnect = onDisconnect
        self.level = level
    }

    convenience init(_ identity: SessionIdentity, level: LogSeverity?, keeping streams: KeptStreams) {
        let claims = identity.claims
        self.init(
            revision: claims.revision, capabilities: claims.capabilities, principal: claims.principal,
            session: identity.digest, showsSafeNames: claims.safeNames,
            onDisconnect: claims.endsWithStream ? .cancel : .goOn(keeping: streams), level: level, number: claims.number
        )
        self.take(identity)
    }

    /// What its principal may do is told with each request.
    func take(_ identity: SessionIdentity) {
        if self.view !== identity.view { self.view = identity.view }
        self.concurrency = identity.concurrency
        self.mayLend = identity.mayLend
        self.lends = identity.lends
        self.isOwner = identity.isOwner
    }

    /// Its session has been initialized after it was opened.
    func isInitialized(as identity: SessionIdentity) {
        self.revision = identity.claims.revision
        self.capabilities = identity.claims.capabilities
        self.showsSafeNames = identity.claims.safeNames
        self.session = identity.digest
    }

    /// What a client hears that has not asked for a level.
    private static let standardLevel = LogSeverity.info

    /// Whether the client wants to see a notification: what is no log message always, a log message by its severity.
    func wants(_ severity: LogSeverity?) -> Bool { (severity ?? .emergency) >= (self.level ?? Self.standardLevel) }

    /// Whether any of a server is its business.
    func sees(_ upstream: UpstreamLink) -> Bool { self.view?.sees(upstream.route.name) ?? true }

    /// Whether all of a server is: more than some of its tools.
    func seesAll(of upstream: UpstreamLink) -> Bool {
        self.view?.seesAll(of: upstream.route.name) ?? true
    }

    /// Whose lane its calls to an upstream take; nil for the one that everybody shares.
    func lane(to upstream: UpstreamLink) -> String? {
        switch upstream.route.share {
        case .all: nil
        case .principal: self.principal
        case .session: self.number.map { String($0, radix: 36) }
        }
    }

    /// Whether its client can be asked anything that servers ask.
    var canBeAsked: Bool { !self.capabilities.isEmpty }

    // MARK: Calls

    func add(_ call: Call) { self.calls[call.id] = call }
    func remove(_ call: Call) { self.calls[call.id] = nil }

    /// Whether a call of it is under way to this upstream.
    func isUsing(_ upstream: UpstreamLink) -> Bool { self.calls.values.contains { $0.upstream === upstream } }

    /// Ends every call, each answered with this.
    func endCalls(_ fault: ToldFault) { for call in Array(self.calls.values) { call.end(fault) } }

    /// The connection of a stream is gone.
    func disconnected(_ stream: ClientStream) {
        guard case .cancel = self.onDisconnect else { return }
        for call in Array(self.calls.values) where call.stream === stream { call.end(.cancelled) }
    }
}

/// The event streams of a session that a client may come back to, by their numbers. Confined to the event loop.
final class KeptStreams {
    private var byNumber: [UInt64: ClientStream] = [:]

    var isEmpty: Bool { self.byNumber.isEmpty }
    var all: some Sequence<ClientStream> { self.byNumber.values }

    subscript(number: UInt64) -> ClientStream? { self.byNumber[number] }

    func keep(_ stream: ClientStream, as number: UInt64) { self.byNumber[number] = stream }
    func forget(_ stream: ClientStream) { if let number = stream.number { self.byNumber[number] = nil } }

    /// Forgets the streams whose last answer went out this long ago.
    func forgetFinished(for retention: TimeAmount, now: NIODeadline) {
        guard !self.byNumber.isEmpty else { return }
        self.byNumber = self.byNumber.filter { _, stream in stream.finished.map { now - $0 <= retention } ?? true }
    }

    /// Ends them all without the answers that are missing.
    func abandonAll() {
        let streams = self.byNumber
        self.byNumber = [:]
        for stream in streams.values { stream.abandon() }
    }
}
