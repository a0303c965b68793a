package import BridgeConfiguration
import BridgeCore
package import BridgeLink
import BridgeMCP
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
    let control: LinkConnection
    let files: StateFiles
    let journal: JournalWriter
    let seal: SessionSeal

    var ledger: SessionLedger
    var upstreams: [UpstreamLink] = []
    var catalogue = ToolCatalogue.empty
    /// When the catalogue last became another than the one that clients may have seen; seconds since 1970.
    var catalogueChangedAt: UInt64?
    var catalogueIsDue = false
    var cacheIsDue = false

    var sessions: [UInt64: LiveSession] = [:]
    /// Sessions that were used within the last ``SessionConfiguration/idleMemory``, and when: a number for people, no more.
    var recent: [UInt64: NIODeadline] = [:]
    var recentPruned = NIODeadline.now()
    /// Session ids that have been opened lately, so that a session in use is not opened for each of its calls.
    var known = RecentValues<String, (claims: SessionClaims, digest: String)>(capacity: 4_096)
    var levels = LogLevels()
    let retention: Retention
    /// Room for bodies that are passed on, and answers on their way to the front.
    let gate: PayloadGate
    let answers: AnswerMeter
    var callsInFlight = 0
    var nextStream: UInt64 = .random(in: 1 << 40...1 << 52)
    var waitingRequests: [WaitingRequest] = []

    private var listener: LinkListener?
    var housekeeping: Scheduled<Void>?
    var reported = ByteBuffer()
    /// When the journal has grown by this many bytes, it is compacted.
    static let journalAllowance = 32 << 20

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
        self.gate = PayloadGate(limit: configuration.workerBytes, loop: loop)
        self.answers = AnswerMeter(limit: configuration.workerBytes, loop: loop)
        self.retention = Retention(loop: loop)
        let state = try self.files.load(now: WallClock.seconds())
        self.ledger = state.ledger
        self.upstreams = configuration.upstreams.map {
            self.makeUpstream($0, warm: state.cache.tools(of: $0.name, program: $0.program))
        }
        self.catalogue = self.merged()
        self.levels.wasSet = self.ledger.lowestLevel != nil
        self.retention.onExcess = { [weak self] in self?.boundMemory() }
        self.answers.onChange = { [weak self] isFull in
            for upstream in self?.upstreams ?? [] { upstream.isReading = !isFull }
        }
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
            guard let self else { return }
            link.meter = self.answers
            link.admission = LinkAdmission(gate: self.gate) { $0.string("sid") ?? "" }
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
        self.gate.limit = configuration.workerBytes
        self.answers.limit = configuration.workerBytes
        var kept: Set<String> = []
        self.upstreams = configuration.upstreams.map { route in
            if let upstream = old[route.name], upstream.route.socket == route.socket {
                if upstream.route.program != route.program { upstream.forgetTools(listWait: configuration.listWait) }
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
}
