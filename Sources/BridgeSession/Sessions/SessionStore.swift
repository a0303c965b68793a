import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// Sessions: their ids, what is in memory of them, and their end. Confined to the event loop.
final class SessionStore {
    /// Sessions beyond this many leave memory as soon as they are idle.
    private static let maximumLive = 4_096

    /// The level that upstreams are to be asked for has been looked at anew.
    var onLevel: ((LogSeverity) -> Void)?
    /// A session of this caller has ended: nothing more is to be done for it.
    var onEnd: ((Caller) -> Void)?
    /// The session of this number has ended.
    var onForget: ((UInt64) -> Void)?
    /// The session of this number has come into memory, or left it.
    var onPresence: ((UInt64) -> Void)?
    /// Which changes a session has yet to be told of that has not been in memory.
    var owed: ((SessionIdentity) -> [ListChange])?

    private let seal: SessionSeal
    let records: SessionRecords
    let retention: Retention
    private var configuration: SessionConfiguration
    /// By the ids that have been opened lately, so that a session in use is not opened for each of its calls.
    private var known = RecentValues<String, SessionIdentity>(capacity: 2_048)
    /// What is seen by whoever was not granted all, by their scopes.
    private var views = RecentValues<String, ScopedView>(capacity: 1_024)
    private var live: [UInt64: LiveSession] = [:]
    private var use = SessionUse()
    /// Counts what may change a verdict on who asks: ends of sessions, and configurations.
    private(set) var epoch = 0
    private var usePruned = NIODeadline.now()
    private var isStopping = false
    /// Principals whose tokens have been revoked: what comes late in their names comes from nobody. One that opens a session
    /// is good again.
    private var over: Set<String> = []

    init(seal: SessionSeal, records: SessionRecords, retention: Retention, configuration: SessionConfiguration) {
        self.seal = seal
        self.records = records
        self.retention = retention
        self.configuration = configuration
        if records.lowestLevel != nil { self.use.levelsWereSet() }
    }

    /// Tells nobody of anything any more, and holds nobody by that.
    func disconnect() {
        self.onLevel = nil
        self.onEnd = nil
        self.onForget = nil
        self.onPresence = nil
        self.owed = nil
    }

    func reconfigure(_ configuration: SessionConfiguration) {
        self.configuration = configuration
        self.epoch += 1
    }

    /// A new session's id. The session is not kept anywhere: the id says it all.
    func open(_ claims: SessionClaims, now: NIODeadline) -> (id: String, identity: SessionIdentity)? {
        if !self.over.isEmpty { self.over.remove(claims.principal) }
        guard let id = self.seal.seal(claims) else { return nil }
        let identity = SessionIdentity(claims, id: id)
        self.known[id] = identity
        self.notice(identity, now: now)
        return (id, identity)
    }

    /// The session of an id that is good for this principal, now.
    func find(_ id: String, principal: String, now: NIODeadline) -> SessionIdentity? {
        guard let identity = self.identity(of: id), identity.claims.principal == principal,
            identity.claims.expires > WallClock.seconds(), !self.records.isEnded(identity.claims.number),
            !self.isOver(principal)
        else { return nil }
        self.notice(identity, now: now)
        return identity
    }

    /// The session that a request belongs to, if it is good for whoever asks, now.
    func find(_ request: ClientRequest) -> SessionIdentity? {
        switch request.asker {
        case .named(let session?, let principal):
            guard let identity = self.find(session, principal: principal, now: request.now) else { return nil }
            self.note(request, on: identity)
            request.bind(identity, epoch: self.epoch)
            return identity
        case .named(nil, _): return nil
        case .bound(let caller):
            let stands = caller.stands(at: WallClock.seconds(), epoch: self.epoch, isEnded: self.records.isEnded)
            guard stands, !self.isOver(caller.identity.claims.principal) else { return nil }
            self.notice(caller.identity, now: request.now)
            return caller.identity
        }
    }

    private func isOver(_ principal: String) -> Bool { !self.over.isEmpty && self.over.contains(principal) }

    /// What a request says of its principal.
    func note(_ request: ClientRequest, on identity: SessionIdentity) {
        identity.view = self.view(of: request)
        identity.concurrency = request.concurrency
        identity.mayLend = request.mayLend
        identity.lends = request.lends
        identity.isOwner = request.isOwner
    }

    /// What the principal of a request, which is not bound, sees of MCP; nil for all of it.
    func view(of request: ClientRequest) -> ScopedView? {
        guard let scope = request.scope else { return nil }
        if let view = self.views[scope] { return view }
        // What cannot be read grants nothing.
        let view = ScopedView((try? TokenScope(scope)) ?? TokenScope([]))
        self.views[scope] = view
        return view
    }

    private func identity(of id: String) -> SessionIdentity? {
        if let known = self.known[id] { return known }
        guard let claims = self.seal.open(id) else { return nil }
        let identity = SessionIdentity(claims, id: id)
        self.known[id] = identity
        return identity
    }

    /// What is in memory of a session; nil where nothing is.
    func inMemory(_ identity: SessionIdentity) -> LiveSession? { self.live[identity.claims.number] }

    /// The session in memory, put there if it is not.
    func bring(_ identity: SessionIdentity, now: NIODeadline) -> LiveSession {
        let number = identity.claims.number
        if let session = self.live[number] {
            session.lastUsed = now
            session.caller.take(identity)
            return session
        }
        let session = LiveSession(
            identity, level: self.records.level(of: number), owed: self.owed?(identity) ?? [], now: now)
        self.live[number] = session
        self.onPresence?(number)
        return session
    }

    /// Whether a session was opened without `initialize`, and has not had it since.
    func awaitsInitialization(_ identity: SessionIdentity) -> Bool {
        identity.claims.endsWithStream && self.inMemory(identity)?.isInitialized != true
    }

    /// Ends a session for good. The future succeeds once that is on the disk; when it fails, the session goes on as if
    /// nothing had been asked.
    func end(_ identity: SessionIdentity) -> EventLoopFuture<Void> {
        // The records of an ended session have no level.
        let hadLevel = self.records.level(of: identity.claims.number) != nil
        let ended = self.records.end(identity.claims)
        self.epoch += 1
        ended.assumeIsolated().whenSuccess { self.forget(identity.claims.number, hadLevel: hadLevel) }
        return ended
    }

    /// The worker stops, and with it all links: that streams end means nothing from now on.
    func stop() { self.isStopping = true }

    /// A session's stream has ended, and the session with it. Nobody knows its id any more.
    func streamEnded(_ number: UInt64) {
        guard !self.isStopping else { return }
        let hadLevel = self.records.level(of: number) != nil
        self.records.forget(number)
        self.forget(number, hadLevel: hadLevel)
    }

    /// A front that died at the same time as the session worker before this one has left sessions behind: their streams would
    /// have been opened again long since.
    private func endThoseWithoutStream() {
        for number in self.records.streamed where self.live[number]?.listening.isEmpty != false {
            self.streamEnded(number)
        }
    }

    /// Ends a principal's sessions: those in memory, and those that something is remembered of. Its ids may be good as long as
    /// they were, but nobody can show them.
    ///
    /// - Parameter fault: what those are told that wait for calls.
    /// - Returns: how many sessions that were.
    func end(of principal: String, telling fault: ToldFault) -> Int {
        self.over.insert(principal)
        let live = self.live.values.filter { $0.caller.principal == principal }.map(\.number)
        let numbers = Set(live + self.records.sessions(of: principal))
        for number in numbers {
            let hadLevel = self.records.level(of: number) != nil
            self.records.forget(number)
            self.forget(number, hadLevel: hadLevel, telling: fault)
        }
        return numbers.count
    }

    private func forget(_ number: UInt64, hadLevel: Bool, telling fault: ToldFault = .cancelled) {
        self.use.ended(number, hadLevel: hadLevel)
        self.onForget?(number)
        self.passOnLevel()
        guard let session = self.live.removeValue(forKey: number) else { return }
        session.caller.endCalls(fault)
        self.onEnd?(session.caller)
        session.endStreams()
    }

    // MARK: Levels

    /// The level that upstreams are to be asked for; nil before any session has set one.
    var wantedLevel: LogSeverity? { self.use.levels.wanted(lowest: self.records.lowestLevel) }

    /// Which messages a session hears from now on.
    func set(_ level: LogSeverity, of identity: SessionIdentity) throws(LedgerFull) {
        let number = identity.claims.number
        let hadNone = self.records.level(of: number) == nil
        try self.records.set(level, of: identity.claims)
        self.live[number]?.caller.level = level
        self.use.levelWasSet(by: number, hadNone: hadNone)
        self.passOnLevel()
    }

    private func passOnLevel() { if let level = self.wantedLevel { self.onLevel?(level) } }

    private func notice(_ identity: SessionIdentity, now: NIODeadline) {
        guard identity.noticed != self.use.round else { return }
        identity.noticed = self.use.round
        let number = identity.claims.number
        let isFirst = self.use.noticed(number, now: now, hasLevel: self.records.level(of: number) != nil)
        if isFirst { self.passOnLevel() }
    }

    // MARK: All of them

    /// Sessions that were used within the last ``SessionConfiguration/idleMemory``: a number for people, no more.
    var countInUse: Int { self.use.count }
    var countListening: Int { self.live.values.reduce(0) { $0 + $1.listening.count } }
    var all: some Sequence<LiveSession> { self.live.values }

    /// The session of this number, where it is in memory.
    func session(_ number: UInt64) -> LiveSession? { self.live[number] }

    /// Tells one session something, or owes it a change. One that is not in memory is told when it comes back.
    func tell(_ note: ByteBuffer, owing change: ListChange, to number: UInt64) {
        self.live[number]?.tell(note, owing: change)
    }

    // MARK: Time

    func keepHouse(now: NIODeadline, time: UInt64) {
        self.use.beginRound()
        for session in Array(self.live.values) {
            guard session.identity.claims.expires > time else {
                self.forget(session.number, hadLevel: self.records.level(of: session.number) != nil)
                continue
            }
            session.primeQuietStreams(now: now)
            session.streams.forgetFinished(for: self.configuration.resultRetention.timeAmount, now: now)
            if session.isIdle, now - session.lastUsed > self.configuration.idleMemory.timeAmount {
                self.leave(session)
            }
        }
        if now - self.usePruned > .seconds(60) { self.pruneUse(now: now) }
        self.boundMemory()
        self.records.compactIfLong()
    }

    private func pruneUse(now: NIODeadline) {
        self.usePruned = now
        self.endThoseWithoutStream()
        for session in self.records.forgetExpired() { self.onForget?(session) }
        self.use.forgetUnused(
            for: self.configuration.idleMemory.timeAmount, now: now,
            isBusy: { self.live[$0]?.isIdle == false }, hasLevel: { self.records.level(of: $0) != nil }
        )
        self.passOnLevel()
    }

    /// Idle sessions beyond ``maximumLive`` go, the oldest first; and what is kept for clients that come back is bounded.
    func boundMemory() {
        if self.live.count > Self.maximumLive {
            let idle = self.live.values.filter(\.isIdle).sorted { $0.lastUsed < $1.lastUsed }
            for session in idle.prefix(self.live.count - Self.maximumLive) { self.leave(session) }
        }
        self.retention.bound(self.live.values.flatMap { $0.streams.all })
    }

    private func leave(_ session: LiveSession) {
        self.live[session.number] = nil
        self.onPresence?(session.number)
    }
}
