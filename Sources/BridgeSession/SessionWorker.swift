package import BridgeCore
package import BridgeLink
package import Logging
package import NIOCore

/// The worker that holds MCP's sessions: answers `initialize` and lists from the merged catalogue, leads each call to its
/// upstream and each answer back.
///
/// Confined to its event loop; every method is called there.
package final class SessionWorker {
    let loop: any EventLoop
    let logger: Logger
    private(set) var configuration: SessionConfiguration
    private let control: LinkConnection
    private let files: StateFiles
    private let journal: JournalWriter
    private let seal: SessionSeal

    var ledger: SessionLedger
    var upstreams: [UpstreamLink] = []
    private(set) var catalogue = ToolCatalogue.empty
    /// When the catalogue last became another than the one that clients may have seen; seconds since 1970.
    private var catalogueChangedAt: UInt64?
    private var catalogueIsDue = false
    private var cacheIsDue = false

    var sessions: [UInt64: LiveSession] = [:]
    /// Sessions that were used within the last ``SessionConfiguration/idleMemory``, and when: a number for people, no more.
    private var recent: [UInt64: NIODeadline] = [:]
    private var recentPruned = NIODeadline.now()
    private var known: [String: (claims: SessionClaims, digest: String)] = [:]
    var callsInFlight = 0
    private var nextStream: UInt64 = .random(in: 1 << 40...1 << 52)
    var waitingRequests: [WaitingRequest] = []

    private var listener: LinkListener?
    private var housekeeping: Scheduled<Void>?
    private var reported = ByteBuffer()
    /// When the journal has grown by this many bytes, it is compacted.
    private static let journalAllowance = 32 << 20

    /// What the worker cannot start with.
    package enum StartError: Error, CustomStringConvertible {
        case badSealingKey
        package var description: String { "the sealing key is not 32 bytes in base64" }
    }

    /// Reads the state directory; blocks for that long. Serves nothing before ``start(listener:)``.
    package init(
        configuration: SessionConfiguration, control: LinkConnection, loop: any EventLoop, logger: Logger
    ) throws {
        guard let seal = SessionSeal(base64Key: configuration.sealingKey.value) else { throw StartError.badSealingKey }
        self.configuration = configuration
        self.control = control
        self.loop = loop
        self.logger = logger
        self.seal = seal
        self.files = StateFiles(
            journalPath: configuration.sessionJournalPath, cachePath: configuration.toolCachePath
        )
        self.journal = JournalWriter(files: self.files, loop: loop)
        let state = try self.files.load(now: WallClock.seconds())
        self.ledger = state.ledger
        self.upstreams = configuration.upstreams.map {
            self.makeUpstream($0, warm: state.cache.toolsByUpstream[$0.name])
        }
        self.catalogue = self.merged()
    }

    /// Begins to serve.
    ///
    /// - Parameter listener: the listening Unix socket that the front dials; owned by the worker from here on.
    package func start(listener: Int32) -> EventLoopFuture<Void> {
        for upstream in self.upstreams { upstream.start() }
        self.scheduleHousekeeping()
        return LinkListener.listen(descriptor: listener, on: self.loop) { [weak self] link in
            link.onOpen = { exchange in
                if let self { self.serve(exchange) } else { exchange.cancel(reason: "stopping") }
            }
        }.assumeIsolated().map { self.listener = $0 }.nonisolated()
    }

    /// Stops serving at once and writes what is unwritten. Calls in flight are the front's to answer.
    package func stop() -> EventLoopFuture<Void> {
        self.housekeeping?.cancel()
        self.listener?.close()
        self.listener?.closeConnections()
        for upstream in self.upstreams { upstream.close() }
        return self.journal.finish().and(self.writeCache().flatMapErrorThrowing { _ in }).map { _ in }
    }

    /// Takes a new configuration: upstreams that are gone are let go, new ones are dialled, the others stay as they are.
    package func reconfigure(_ configuration: SessionConfiguration) {
        let old = Dictionary(self.upstreams.map { ($0.route.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.configuration = configuration
        var kept: Set<String> = []
        self.upstreams = configuration.upstreams.map { route in
            if let upstream = old[route.name], upstream.route.socket == route.socket {
                upstream.route = route
                kept.insert(route.name)
                return upstream
            }
            let upstream = self.makeUpstream(route, warm: nil)
            upstream.start()
            return upstream
        }
        for (name, upstream) in old where !kept.contains(name) { upstream.retire() }
        // At once: the catalogue counts places among the upstreams, and those are others now.
        self.catalogueIsDue = true
        self.bringCatalogueUpToDate()
    }

    // MARK: Upstreams and their catalogue

    private func makeUpstream(_ route: UpstreamRoute, warm: [JSONText]?) -> UpstreamLink {
        let upstream = UpstreamLink(
            route: route, warm: warm, listWait: self.configuration.listWait, loop: self.loop, logger: self.logger
        )
        upstream.onCatalogue = { [weak self, weak upstream] in
            guard let self else { return }
            if let level = self.ledger.lowestLevel(now: WallClock.seconds()), upstream?.takesLogLevel == true {
                upstream?.set(level: level)
            }
            self.catalogueChanged()
        }
        upstream.onSettled = { [weak self] in self?.serveWaitingRequests() }
        upstream.onNote = { [weak self, weak upstream] note in
            if let self, let upstream { self.broadcast(note, from: upstream) }
        }
        return upstream
    }

    /// Merges once per turn of the loop, however many upstreams have news.
    private func catalogueChanged() {
        guard !self.catalogueIsDue else { return }
        self.catalogueIsDue = true
        self.loop.assumeIsolated().execute { self.bringCatalogueUpToDate() }
    }

    /// Merges now what is due for the end of this turn.
    func bringCatalogueUpToDate() {
        if self.catalogueIsDue { self.updateCatalogue() }
    }

    private func updateCatalogue() {
        self.catalogueIsDue = false
        let merged = self.merged()
        let isOther = merged.dotList != self.catalogue.dotList
        for collision in merged.collisions where !self.catalogue.collisions.contains(collision) {
            self.logger.warning(
                "Tool name is taken; the later tool is refused",
                metadata: [
                    "mcp.tool": "\(collision.name)", "mcp.upstream": "\(collision.refused)",
                    "owner": "\(collision.kept)",
                ]
            )
        }
        self.catalogue = merged
        self.scheduleCacheWrite()
        if isOther {
            self.catalogueChangedAt = WallClock.seconds()
            for session in self.sessions.values { session.toolsChanged() }
        }
        self.serveWaitingRequests()
    }

    private func merged() -> ToolCatalogue {
        ToolCatalogue(
            sources: self.upstreams.map {
                .init(
                    name: $0.route.name, prefix: $0.route.prefix ?? $0.route.name, filter: $0.route.tools,
                    tools: $0.tools
                )
            },
            separator: self.configuration.separator
        )
    }

    /// Soon, so that even a worker that dies young leaves its successor warm; once for news that come together.
    private func scheduleCacheWrite() {
        guard !self.cacheIsDue else { return }
        self.cacheIsDue = true
        self.loop.assumeIsolated().scheduleTask(in: .milliseconds(50)) { [weak self] in _ = self?.writeCache() }
    }

    private func writeCache() -> EventLoopFuture<Void> {
        guard self.cacheIsDue else { return self.loop.makeSucceededVoidFuture() }
        self.cacheIsDue = false
        var cache = ToolsCache()
        for upstream in self.upstreams { cache.toolsByUpstream[upstream.route.name] = upstream.tools }
        let written = self.files.replaceCache(with: cache, updatedAt: WallClock.iso8601(), on: self.loop)
        let logger = self.logger
        written.whenFailure { error in
            logger.error("Tool cache cannot be written", metadata: ["error": "\(error)"])
        }
        return written
    }

    // MARK: Sessions

    /// The claims of a session id that is good for this principal, now.
    func claims(of id: String, principal: String) -> SessionClaims? {
        let found: (claims: SessionClaims, digest: String)
        if let known = self.known[id] {
            found = known
        } else {
            guard let claims = self.seal.open(id) else { return nil }
            found = (claims, SessionSeal.digest(of: id))
            // A cache, not a table: it may forget everything at any time.
            if self.known.count >= 4_096 { self.known.removeAll(keepingCapacity: true) }
            self.known[id] = found
        }
        guard found.claims.principal == principal, found.claims.expires > WallClock.seconds(),
            !self.ledger.isEnded(found.claims.number)
        else { return nil }
        self.noticeUse(of: found.claims.number)
        return found.claims
    }

    /// Counts a session as one in use. The count stops at 16,384; nothing but the status depends on it.
    func noticeUse(of session: UInt64) {
        guard self.recent.count < 16_384 || self.recent[session] != nil else { return }
        self.recent[session] = .now()
    }

    /// The session in memory, put there if it is not.
    func liveSession(_ claims: SessionClaims, id: String) -> LiveSession {
        let now = NIODeadline.now()
        if let session = self.sessions[claims.number] {
            session.lastUsed = now
            return session
        }
        let session = LiveSession(
            claims: claims, digest: self.known[id]?.digest ?? SessionSeal.digest(of: id),
            level: self.ledger.level(of: claims.number), now: now
        )
        session.owesListChanged = self.catalogueChangedAt.map { claims.created <= $0 } ?? false
        self.sessions[claims.number] = session
        return session
    }

    /// A new session's id. The session is not kept anywhere: the id says it all.
    func newSession(_ claims: SessionClaims) -> String? {
        self.noticeUse(of: claims.number)
        return self.seal.seal(claims)
    }

    /// Ends a session for good. The future succeeds once that is on the disk; fails when it cannot be written, and then the
    /// session goes on as if nothing had been asked.
    func end(_ claims: SessionClaims) -> EventLoopFuture<Void> {
        let before = self.ledger.entries[claims.number]
        let line = self.ledger.end(claims.number, expires: claims.expires)
        let written = self.journal.append(line)
        written.assumeIsolated().whenComplete { [weak self] result in
            switch result {
            case .success: self?.forget(claims)
            case .failure: self?.ledger.takeBack(claims.number, before)
            }
        }
        return written
    }

    private func forget(_ claims: SessionClaims) {
        self.recent[claims.number] = nil
        if let session = self.sessions.removeValue(forKey: claims.number) {
            for call in Array(session.calls.values) { call.abort(.cancelled) }
            self.cancelWaiting(in: session)
            for stream in Array(session.streams.values) { stream.abandon() }
            session.streams = [:]
            session.listening?.end()
        }
    }

    func set(_ level: LogSeverity, for session: LiveSession) {
        session.level = level
        let claims = session.claims
        if let line = self.ledger.set(level, for: claims.number, expires: claims.expires) {
            let logger = self.logger
            self.journal.append(line).whenFailure { error in
                logger.error("Session journal cannot be written", metadata: ["error": "\(error)"])
            }
        }
        guard let lowest = self.ledger.lowestLevel(now: WallClock.seconds()) else { return }
        for upstream in self.upstreams where upstream.takesLogLevel { upstream.set(level: lowest) }
    }

    private func compactJournal() {
        let logger = self.logger
        self.journal.compact(to: self.ledger.compacted(now: WallClock.seconds())).whenFailure {
            logger.error("Session journal cannot be compacted", metadata: ["error": "\($0)"])
        }
    }

    func nextStreamNumber() -> UInt64 {
        self.nextStream += 1
        return self.nextStream
    }

    /// A notification that belongs to no call: to the clients that use this upstream now, else to all that listen.
    private func broadcast(_ note: ByteBuffer, from upstream: UpstreamLink) {
        let severity = LogMessage.severity(of: note)
        let listening = self.sessions.values.filter { $0.listening != nil && $0.wants(severity) }
        let users = listening.filter { session in session.calls.values.contains { $0.upstream === upstream } }
        for session in users.isEmpty ? listening : users { session.listening?.send(note) }
    }

    // MARK: Every second

    private func scheduleHousekeeping() {
        self.housekeeping = self.loop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
            self?.scheduleHousekeeping()
            self?.keepHouse()
        }
    }

    /// Everything that time brings about. A test passes in the time.
    func keepHouse(now: NIODeadline = .now()) {
        for session in Array(self.sessions.values) {
            for call in Array(session.calls.values) { self.abortIfOverdue(call, now: now) }
            self.primeQuietStreams(of: session, now: now)
            for (number, stream) in session.streams {
                if let finished = stream.finished, now - finished > self.configuration.resultRetention.timeAmount {
                    session.streams[number] = nil
                }
            }
            if session.isIdle, now - session.lastUsed > self.configuration.idleMemory.timeAmount {
                self.sessions[session.claims.number] = nil
            }
        }
        if now - self.recentPruned > .seconds(60) {
            self.recentPruned = now
            self.recent = self.recent.filter { now - $0.value <= self.configuration.idleMemory.timeAmount }
        }
        self.boundMemory()
        if self.journal.growth > Self.journalAllowance { self.compactJournal() }
        self.serveWaitingRequests()
        self.report()
    }

    /// A call waits 10 seconds for a worker that is away: longer than any but a worker that fails again and again takes.
    private static let workerPatience = TimeAmount.seconds(10)

    private func abortIfOverdue(_ call: Call, now: NIODeadline) {
        let upstream = call.upstream
        if call.deadline <= now {
            call.abort(.timeout(upstream.route.name))
        } else if !upstream.isConnected, now - call.started > Self.workerPatience {
            // Had any of it left this process, the loss of the link would have ended it.
            call.abort(.unavailable(upstream.route.name, "its worker is not running"))
        }
    }

    /// After 5 seconds without a word a stream begins, so that the call survives its connection.
    private func primeQuietStreams(of session: LiveSession, now: NIODeadline) {
        guard session.claims.revision.allowsPrimingEvents else { return }
        for call in session.calls.values where now - call.stream.opened > .seconds(5) { call.stream.prime() }
    }

    /// Idle sessions beyond 4,096 go, the oldest first; and of what is kept for clients that come back, what is beyond 64
    /// MiB: first results that nobody fetched, then the events of calls still under way.
    private func boundMemory() {
        if self.sessions.count > 4_096 {
            let idle = self.sessions.values.filter(\.isIdle).sorted { $0.lastUsed < $1.lastUsed }
            for session in idle.prefix(self.sessions.count - 4_096) { self.sessions[session.claims.number] = nil }
        }
        let streams = self.sessions.values.flatMap { $0.streams.values }
        var bytes = streams.reduce(0) { $0 + Self.cost(of: $1) }
        guard bytes > Self.maximumKept else { return }
        let oldestFirst = streams.sorted { $0.opened < $1.opened }
        for stream in oldestFirst where stream.finished != nil && bytes > Self.maximumKept {
            bytes -= Self.cost(of: stream)
            stream.session.streams[stream.number] = nil
        }
        for stream in oldestFirst where stream.finished == nil && bytes > Self.maximumKept {
            bytes -= stream.keptBytes
            stream.forgetEvents()
        }
    }

    private static let maximumKept = 64 << 20

    /// A stream costs something even when it keeps nothing.
    private static func cost(of stream: ClientStream) -> Int { stream.keptBytes + 1_024 }

    /// Tells the supervisor how things are, when they are otherwise than last told.
    private func report() {
        let status = JSONWriter.object { status in
            status.member("sessions", self.recent.count)
            status.member("listening", self.sessions.values.reduce(0) { $0 + ($1.listening == nil ? 0 : 1) })
            status.member("callsInFlight", self.callsInFlight)
            status.member("tools", self.catalogue.tools.count)
            status.memberObject("toolCounts") { counts in
                for upstream in self.upstreams { counts.member(upstream.route.name, upstream.tools?.count ?? 0) }
            }
            status.memberArray("collisions") { list in
                for collision in self.catalogue.collisions.prefix(32) {
                    list.object {
                        $0.member("name", collision.name)
                        $0.member("kept", collision.kept)
                        $0.member("refused", collision.refused)
                    }
                }
            }
        }
        guard status.bytes != self.reported else { return }
        self.reported = status.bytes
        _ = self.control.open(
            header: JSONText(literal: #"{"op":"status"}"#), payload: status.bytes, delegate: AnswerWaiter { _ in }
        )
    }
}
