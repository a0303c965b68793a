import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// The upstreams, and the catalogue that is merged of what they offer. Confined to the event loop.
final class Directory {
    /// An upstream has another phase, or other lists: who waits for one looks again.
    var onNews: (() -> Void)?
    var onChange: ((ListNews) -> Void)?
    /// A notification that belongs to no call.
    var onNote: ((ByteBuffer, UpstreamLink) -> Void)?
    /// One that came over a lane which not everybody shares: its owner's.
    var onOwnNote: ((ByteBuffer, UpstreamLink, String) -> Void)?
    /// A notification about a task, and the life of the server that it belongs to.
    var onTaskNote: ((ByteBuffer, Int, UpstreamLink) -> Void)?
    /// A server has been connected to, now or anew.
    var onConnected: ((UpstreamLink) -> Void)?
    /// The level that upstreams are to be asked for; nil when they are asked for none.
    var wantedLevel: (() -> LogSeverity?)?

    private(set) var upstreams: [UpstreamLink] = []
    private let tables: SessionTables
    private let cache: CacheKeeper
    private let loop: any EventLoop
    private let logger: Logger
    private(set) var configuration: SessionConfiguration
    /// Behind the upstreams' news until ``bringUpToDate()``.
    private(set) var catalogue: Catalogue
    /// What is to be merged by the end of this turn of the loop.
    private var due: Set<Offering> = []
    /// When lists last became others than those that clients may have seen, by whose entries they were; seconds since 1970.
    private(set) var changes: [ListChange: [String: UInt64]] = [:]
    let views = ScopedViews()
    /// Another one whenever lists are.
    private(set) var lists = 0
    /// Another one whenever lists or upstreams are others.
    private(set) var generation = 0

    init(
        tables: SessionTables, configuration: SessionConfiguration, warm: CatalogueCache, files: StateFiles,
        loop: any EventLoop, logger: Logger
    ) {
        self.tables = tables
        self.configuration = configuration
        self.cache = CacheKeeper(files: files, loop: loop, logger: logger)
        self.catalogue = Catalogue(of: tables.offerings)
        self.loop = loop
        self.logger = logger
        self.upstreams = configuration.upstreams.map { route in
            let lists = tables.offerings.compactMap { offering in
                warm.checkedEntries(of: offering, by: route.name, program: route.program).map { (offering, $0) }
            }
            return self.make(
                route, warm: Dictionary(lists, uniquingKeysWith: { first, _ in first }),
                proposal: warm.proposal(to: route.name, program: route.program),
                asks: warm.asks(route.name, program: route.program),
                transport: warm.transport(of: route.name, program: route.program))
        }
        for offering in tables.offerings { self.catalogue.replace(with: self.merged(offering)) }
        self.cache.content = { [unowned self] in self.cacheContent() }
    }

    deinit {
        self.cache.content = nil
        for upstream in self.upstreams { upstream.delegate = nil }
    }

    /// Tells nobody of anything any more, and holds nobody by that.
    func disconnect() {
        self.onNews = nil
        self.onChange = nil
        self.onNote = nil
        self.onOwnNote = nil
        self.onTaskNote = nil
        self.onConnected = nil
        self.wantedLevel = nil
    }

    func start() { for upstream in self.upstreams { upstream.start() } }

    /// Closes every link; succeeds once what is unwritten has been written.
    func close() -> EventLoopFuture<Void> {
        for upstream in self.upstreams { upstream.close() }
        return self.cache.write()
    }

    /// Upstreams that are gone are let go, new ones are dialled, the others stay as they are.
    func reconfigure(_ configuration: SessionConfiguration) {
        let old = Dictionary(self.upstreams.map { ($0.route.name, $0) }, uniquingKeysWith: { first, _ in first })
        if self.configuration.display != configuration.display { self.cache.changed() }
        self.configuration = configuration
        var kept: Set<String> = []
        self.upstreams = configuration.upstreams.map { route in
            if let upstream = old[route.name], upstream.route.socket == route.socket {
                if upstream.route.program != route.program { upstream.forgetLists(listWait: configuration.listWait) }
                upstream.route = route
                kept.insert(route.name)
                return upstream
            }
            let upstream = self.make(route, warm: [:])
            upstream.start()
            return upstream
        }
        for (name, upstream) in old where !kept.contains(name) { upstream.retire() }
        // At once: the catalogue counts places among the upstreams, and those are others now.
        self.due = Set(self.tables.offerings)
        self.bringUpToDate()
    }

    private func make(
        _ route: UpstreamRoute, warm: [Offering: [JSONText]], proposal: RevisionProposal? = nil, asks: Bool = false,
        transport: String? = nil
    ) -> UpstreamLink {
        let upstream = UpstreamLink(
            route: route, offerings: self.tables.offerings, warm: warm, proposal: proposal,
            asks: asks, transport: transport, listWait: self.configuration.listWait, loop: self.loop,
            logger: self.logger
        )
        upstream.isReading = self.isReading
        upstream.delegate = self
        return upstream
    }

    /// Whether more is read of what upstreams' workers send.
    var isReading = true {
        didSet { for upstream in self.upstreams { upstream.isReading = self.isReading } }
    }

    func pass(_ level: LogSeverity) {
        for upstream in self.upstreams where upstream.takesLogLevel { upstream.set(level: level) }
    }

    // MARK: The catalogue

    /// The list of an offering, with what came in this very turn.
    func section(_ offering: Offering) -> Catalogue.Section {
        self.bringUpToDate()
        return self.catalogue[offering]
    }

    /// What a client names, and the upstream that has it. What was listed in this very turn counts: it may be the last that
    /// was waited for.
    func find(_ name: String, of offering: Offering) -> (entry: Catalogue.Entry, upstream: UpstreamLink)? {
        self.bringUpToDate()
        return self.catalogue.entry(name, of: offering).map { ($0, self.upstreams[$0.upstream]) }
    }

    var collisions: [Catalogue.Collision] { self.catalogue.collisions }

    /// What all upstreams offer of a kind, or what somebody sees of that.
    func merged(_ offering: Offering, for view: ScopedView? = nil) -> Catalogue.Section {
        let sources = self.upstreams.map { $0.route.source(of: offering, listed: $0.list(of: offering)) }
        return Catalogue.Section(
            of: offering, sources: sources, separator: self.configuration.separator,
            isSeen: { view?.has($0, of: offering) ?? true })
    }

    /// Merges now what is due for the end of this turn.
    func bringUpToDate() {
        guard !self.due.isEmpty else { return }
        let due = self.tables.offerings.filter(self.due.contains)
        self.due = []
        self.generation += 1
        self.lists += 1
        var news: [ListChange: ListNews] = [:]
        for offering in due { self.update(offering, &news) }
        self.cache.changed()
        let now = WallClock.seconds()
        for (change, news) in news {
            for server in news.servers { self.changes[change, default: [:]][server] = now }
            self.onChange?(news)
        }
        self.onNews?()
    }

    /// Adds to the news where the list is another than before.
    private func update(_ offering: Offering, _ news: inout [ListChange: ListNews]) {
        let old = self.catalogue[offering]
        let new = self.merged(offering)
        self.catalogue.replace(with: new)
        for collision in Set(new.collisions).subtracting(old.collisions) {
            self.logger.warning(
                "Name is taken; the later entry is refused",
                metadata: [
                    "mcp.offering": "\(offering)", "mcp.tool": "\(collision.name)",
                    "mcp.upstream": "\(collision.refused)", "owner": "\(collision.kept)",
                ]
            )
        }
        guard new.dotList != old.dotList,
            let change = self.tables.announcer(of: offering)?.changed.map(ListChange.init(method:))
        else { return }
        news[change, default: ListNews(change)].add(new.differences(from: old), of: offering)
    }

    private func cacheContent() -> CatalogueCache {
        var cache = CatalogueCache(of: self.tables.offerings)
        cache.display = self.configuration.display
        for upstream in self.upstreams {
            for offering in self.tables.offerings {
                let list = upstream.list(of: offering)
                cache.keep(list, of: offering, by: upstream.route.name, program: upstream.route.program)
            }
            cache.keep(upstream.proposal, to: upstream.route.name, program: upstream.route.program)
            if upstream.asks { cache.keepThatAsks(upstream.route.name, program: upstream.route.program) }
            cache.keep(transport: upstream.transport, of: upstream.route.name, program: upstream.route.program)
        }
        return cache
    }

    // MARK: Waiting for lists

    /// Wakes the upstreams that start on demand and have never been listed.
    ///
    /// - Parameter again: false where the same lists may have woken them already.
    func wake(for offering: Offering, again: Bool = true) {
        for upstream in self.upstreams {
            upstream.wake(for: offering, listWait: self.configuration.listWait, again: again)
        }
    }

    /// How long a list is worth waiting for at most; nil where it is not.
    func awaitedUntil(_ offering: Offering, now: NIODeadline) -> NIODeadline? {
        let isBare = self.upstreams.allSatisfy(\.isBare)
        return self.upstreams.lazy.compactMap { $0.awaitedUntil(for: offering, isBare: isBare, now: now) }.max()
    }
}

extension Directory: UpstreamLinkDelegate {
    func upstreamIdentified(_ upstream: UpstreamLink) {
        self.cache.changed()
        if upstream.takesLogLevel, let level = self.wantedLevel?() { upstream.set(level: level) }
        self.generation += 1
        self.onConnected?(upstream)
    }

    /// Merges once per turn of the loop, however many upstreams have news.
    func upstream(_ upstream: UpstreamLink, listed offering: Offering) {
        let isScheduled = !self.due.isEmpty
        self.due.insert(offering)
        guard !isScheduled else { return }
        self.loop.assumeIsolated().execute { self.bringUpToDate() }
    }

    func upstreamAsks(_ upstream: UpstreamLink) { self.cache.changed() }

    func upstreamSettled(_ upstream: UpstreamLink) { self.onNews?() }

    func upstream(_ upstream: UpstreamLink, noted note: ByteBuffer, for owner: String?) {
        if let owner { self.onOwnNote?(note, upstream, owner) } else { self.onNote?(note, upstream) }
    }

    func upstream(_ upstream: UpstreamLink, noted note: ByteBuffer, ofTaskIn life: Int) {
        self.onTaskNote?(note, life, upstream)
    }
}
