import BridgeConfiguration
import BridgeHTTPClient
import Logging
import NIOCore
import NIOHTTP1

/// What a connection over HTTP sends its requests by: the pool, the address as it is now, the user's headers, cookies, and
/// what must not be told on. Confined to its event loop.
final class HTTPCarrier {
    /// For so long a message waits for a token.
    static let tokenTime = TimeAmount.seconds(25)

    private let loop: any EventLoop
    private let logger: Logger
    private let maximumMessage: Int
    private var target: RemoteTarget
    private let dialect: RemoteTarget.Dialect
    private let memory: AddressMemory
    private var connections: HTTPConnections?
    private var destination: MCPDestination? { didSet { self.ready = nil } }
    private var cookies = CookieJar()
    /// Whether the server has taken anything over this connection.
    private var isAccepted = false
    /// Whether the server has not been greeted since the headers are others.
    private var isSomebodyElse = false
    /// The endpoint as the last message was sent to it.
    private var ready: MCPDestination?
    /// Where bearer tokens come from, for a server that may want one.
    let tokens: (any TokenSource)?
    /// Of the token that was last sent; nil when none was.
    private(set) var generation: Int?
    /// That token. Two of one generation may follow each other, where a disk or another process has had its own idea.
    private var sent: String?
    private(set) var words: ServerWords
    private var secrets: [String]
    private(set) var notes: [String] = []

    init(
        _ target: RemoteTarget, tokens: (any TokenSource)?, dialect: RemoteTarget.Dialect = .streamableHTTP,
        memory: AddressMemory, maximumMessage: Int, loop: any EventLoop, logger: Logger
    ) {
        self.dialect = dialect
        self.memory = memory
        self.tokens = tokens
        self.secrets = target.secrets
        self.target = target
        self.maximumMessage = maximumMessage
        self.loop = loop
        self.logger = logger
        self.words = ServerWords(secrets: target.secrets)
    }

    func open() throws(HTTPTargetError) {
        var destination = try self.target.destination
        if let known = self.memory.target(of: self.target.url.value, self.dialect) { destination.address = known }
        self.destination = destination
        let settings = try self.target.connectionSettings
        self.notes = self.target.notes
        self.connections = HTTPConnections(on: self.loop, settings: settings)
    }

    /// Takes new headers. The former ones are hidden, too: what was sent with them may yet be answered.
    func adopt(_ transport: TransportSettings) {
        guard case .http(let target) = transport, target.headers != self.target.headers else { return }
        let former = self.target.secrets
        self.target.headers = target.headers
        self.isSomebodyElse = true
        self.destination?.headers = self.target.fields
        self.secrets = self.target.secrets + former
        self.hideSecrets()
    }

    /// A token that is good no more is not kept to be hidden: it is to be nowhere in memory.
    private func hideSecrets() { self.words = ServerWords(secrets: self.secrets + (self.sent.map { [$0] } ?? [])) }

    var address: HTTPAddress? { self.destination?.address }

    /// The endpoint, with what every request carries.
    func endpoint(session: String? = nil, revision: String? = nil) -> MCPDestination? {
        let bearer = self.bearer
        if let ready, ready.session == session, ready.revision == revision, self.sent == bearer?.value,
            self.generation == bearer?.generation
        {
            return ready
        }
        guard var destination = self.destination else { return nil }
        destination.session = session
        destination.revision = revision
        self.cookies.add(to: &destination.headers)
        self.authorize(&destination, bearer)
        destination.prepare()
        self.ready = destination
        return destination
    }

    /// Of the token that the next request is sent with; nil where there is none.
    var nextGeneration: Int? { self.bearer?.generation }

    /// The token of the hour.
    private var bearer: (value: String, generation: Int)? {
        guard case .bearer(let value, let generation) = self.tokens?.credential else { return nil }
        return (value, generation)
    }

    private func authorize(_ destination: inout MCPDestination, _ bearer: (value: String, generation: Int)?) {
        let isOther = self.sent != bearer?.value
        self.generation = bearer?.generation
        self.sent = bearer?.value
        guard let bearer else { return }
        if isOther { self.hideSecrets() }
        destination.headers.replaceOrAdd(name: "Authorization", value: bearer.value)
    }

    func send(_ request: HTTPRequest, to delegate: any MCPTransferDelegate) -> MCPTransfer {
        guard let connections else { preconditionFailure("nothing is sent before it is open") }
        return connections.send(request, maximumMessage: self.maximumMessage, to: delegate)
    }

    func took(_ head: HTTPResponseHead) {
        guard head.headers.contains(name: "Set-Cookie") else { return }
        self.cookies.take(head.headers)
        self.ready = nil
    }

    func forgetCookies() {
        self.cookies = CookieJar()
        self.ready = nil
    }

    /// The server is greeted, unless it wants to be left in peace as another connection has been told.
    ///
    /// - Returns: for how many seconds it does.
    @discardableResult func greets() -> Int? {
        self.isSomebodyElse = false
        return self.memory.peace(of: self.target, now: .now())
    }

    func keepPeace(for seconds: Int) {
        if !self.isSomebodyElse { self.memory.keepPeace(of: self.target, for: seconds, now: .now()) }
    }

    /// Requests go where this one was sent in the end, those of later connections as well.
    func remember(_ address: HTTPAddress?) {
        self.isAccepted = true
        guard let address, self.destination?.address != address else { return }
        self.destination?.address = address
        self.memory.remember(address, of: self.target.url.value, self.dialect)
        self.logger.info("upstream redirects; what follows goes there at once", metadata: ["url": "\(address)"])
    }

    /// The connection is lost. Where the server is not to be found there, the next one asks at the configured address.
    ///
    /// - Returns: what that is for whoever asks now: others with other headers were to leave the server in peace.
    @discardableResult func lost(_ loss: HTTPLoss) -> HTTPLoss {
        switch loss {
        case .unreachable, .foreign: self.memory.forgetTarget(self.dialect)
        case .busy(let reason, _) where self.isSomebodyElse: return .unreachable(reason)
        case .busy(_, let retryAfter): self.keepPeace(for: retryAfter)
        case .signInNeeded, .unauthorized: break
        }
        return loss
    }

    /// Nothing that is the server is where an earlier connection was redirected to.
    ///
    /// - Returns: whether there is the configured address, which has not been asked.
    func goBack() -> Bool {
        self.memory.forgetTarget(self.dialect)
        guard !self.isAccepted, let configured = try? self.target.destination.address,
            self.destination.map({ $0.address != configured }) ?? false
        else { return false }
        self.destination?.address = configured
        return true
    }

    /// Ends a session, and whatever becomes of that within a time.
    func delete(_ destination: MCPDestination, within limit: TimeAmount, _ body: @escaping () -> Void) {
        guard let connections else { return body() }
        var request = destination.delete()
        request.limits.total = limit
        connections.reply(to: request, maximumBody: 1 << 16).assumeIsolated().whenComplete { _ in body() }
    }

    /// Ends all that is under way.
    func shutDown(_ body: @escaping () -> Void) {
        // Whatever it was that is there, it is not known to be the server.
        if !self.isAccepted { self.memory.forgetTarget(self.dialect) }
        let done = self.connections?.shutdown() ?? self.loop.makeSucceededVoidFuture()
        self.connections = nil
        done.hop(to: self.loop).assumeIsolated().whenComplete { _ in body() }
    }
}
