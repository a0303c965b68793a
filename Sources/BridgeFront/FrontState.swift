import BridgeAccess
import BridgeConfiguration
import BridgeCore
import BridgeLink
import Logging
import NIOCore

/// What the requests of one front share. Confined to the event loop.
final class FrontState {
    let loop: any EventLoop
    let logger: Logger
    let clock = LoopClock()
    let metrics: FrontMetrics
    let table: ConnectionTable
    /// Room for the bodies of requests, from their arrival until they have left for the session worker.
    let bodies: PayloadGate
    let date = HTTPDate()
    let session: LinkDialer
    /// By which the session worker knows who asks on the link that there is.
    let bindings = BindingNumbers()
    let control: LinkConnection
    let stores: FrontStores?
    let tokenBook: TokenBook
    let audit: AuditRecorder
    /// The sessions of HTTP+SSE.
    let streamed = StreamedSessions()
    private(set) var endpoints: EndpointTable
    private(set) var trustedProxies: [AddressBlock]
    /// Serves what the front's own path does not; there while the front runs.
    var router: RouterHalf?
    private(set) var configuration: FrontConfiguration
    private(set) var door: FrontDoor
    /// The tokens that there are. What they are read from sets them.
    let tokens = KnownTokens()
    let limits: LimitDesk
    let watch: TokenWatch
    /// Tells the session worker whose tokens are over.
    let ends: TokenEnds
    /// What requests of the model APIs share.
    let chat = ChatDesk()
    /// Counts the configurations, and the changes of tokens: a verdict is as old as those that it was made by.
    private(set) var epoch = 0
    /// Whether another machine can connect, whatever the configuration says.
    var isPublic = false {
        didSet {
            self.door = FrontDoor(self.configuration, isPublic: self.isPublic)
            self.epoch += 1
        }
    }
    /// Small responses are put together in it. The channel has sent it, as a rule, by the time of the next one; if not, the
    /// next one gets memory of its own.
    var scratch = ByteBufferAllocator().buffer(capacity: 8 << 10)
    private var ids = RequestIDs()

    /// How long a request waits for a session worker before it is told that there is none.
    var sessionWait = TimeAmount.seconds(30)

    init(
        configuration: FrontConfiguration, control: LinkConnection, stores: FrontStores?, loop: any EventLoop,
        logger: Logger
    ) {
        let metrics = FrontMetrics()
        self.loop = loop
        self.logger = logger
        self.metrics = metrics
        self.table = ConnectionTable(limits: configuration.limits, metrics: metrics)
        self.bodies = PayloadGate(limit: configuration.limits.maximumHeldBytes, loop: loop)
        let session = LinkDialer(path: configuration.sessionSocket, loop: loop, logger: logger)
        self.session = session
        self.control = control
        self.stores = stores
        self.tokenBook = TokenBook(stores, loop: loop, logger: logger)
        self.audit = AuditRecorder(stores?.store, policy: configuration.audit, loop: loop, logger: logger)
        self.endpoints = EndpointTable(mcpPath: configuration.mcpPath, publicURL: configuration.publicURL)
        self.trustedProxies = configuration.trustedProxies.compactMap(AddressBlock.init)
        self.configuration = configuration
        self.door = FrontDoor(configuration)
        self.limits = LimitDesk(stores?.store, loop: loop, rate: Self.rate(configuration))
        self.watch = TokenWatch(loop: loop)
        self.ends = TokenEnds(loop: loop, logger: logger) { request, done in
            _ = session.open(header: request.text, delegate: AnswerWaiter(done))
        }
        self.tokens.onChange = { [unowned self] in self.tokensChanged() }
        self.tokenBook.onChange = { [tokens] in tokens.table = $0 }
        self.watch.look = { [unowned self] in self.table.endRequests(withoutGood: self.tokens, at: $0) }
        self.session.onConnected = { [streamed] _ in streamed.linkConnected() }
        self.session.onLost = { [bindings] in
            metrics.linkRestarts += 1
            bindings.linkLost()
        }
    }

    func reconfigure(_ configuration: FrontConfiguration) {
        self.endpoints.reconfigure(publicURL: configuration.publicURL)
        self.trustedProxies = configuration.trustedProxies.compactMap(AddressBlock.init)
        self.configuration = configuration
        self.audit.policy = configuration.audit
        self.door = FrontDoor(configuration, isPublic: self.isPublic)
        self.limits.reconfigure(rate: Self.rate(configuration))
        self.epoch += 1
        self.table.reconfigure(configuration.limits)
        self.bodies.limit = configuration.limits.maximumHeldBytes
    }

    /// Who needs a token.
    var tokenRule: TokenRule { self.isPublic ? .always : self.configuration.requireToken }

    private static func rate(_ configuration: FrontConfiguration) -> TokenRate? {
        configuration.tokenRate.flatMap { try? TokenRate($0) }
    }

    /// Who was let in by a token that is good no longer is let in no more, and what goes on in its name ends.
    private func tokensChanged() {
        self.epoch += 1
        if let table = self.tokens.table { self.limits.keepCounting(table) }
        // Whoever waits hears it from here.
        self.watch.lookNow()
        if let table = self.tokens.table { self.ends.look(at: table) }
    }

    func nextRequestID() -> RequestID { self.ids.next() }
}
