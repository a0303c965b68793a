import BridgeConfiguration
import BridgeCore
import BridgeHTTPClient
import BridgeLink
import Logging
import NIOCore
import NIOHTTP1

/// A connection to a server by HTTP+SSE, as the revision 2024-11-05 has it: one stream for all that the server says, whose
/// first event names the address for what is said to it.
///
/// Confined to its event loop.
final class EventStreamHTTP: PostingConnection {
    enum State {
        case new
        /// The stream is asked for, and has not named an address.
        case opening
        case open, lost, ending, ended
    }

    /// Until the end, which is always told.
    var delegate: (any ConnectionDelegate)?
    var onForeign: ((_ reason: String) -> Bool)?
    let loop: any EventLoop
    let logger: Logger
    let carrier: HTTPCarrier
    var state = State.new
    /// Where messages are posted to.
    var endpoint: HTTPAddress?
    /// Where the stream comes from, redirects included.
    var source: HTTPAddress?
    var stream: MCPTransfer?
    /// The head of a page that comes in the place of the stream: it may be one to sign in by, which its words tell.
    var page: HTTPResponseHead?
    /// What the server said before it named an address.
    var early = EarlyMessages()
    /// What is said to it before that.
    private var unaddressed: [HTTPPost] = []
    var waiting: [HTTPPost] = []
    /// One session to a stream.
    var session = HTTPSession()
    /// Whether it is another stream than the first.
    private(set) var isReopened = false
    var posts: [ObjectIdentifier: HTTPPost] = [:]
    var requests: [Int: HTTPPost] = [:]
    var pendingLoss: HTTPLoss?
    /// Of the token that the stream was last asked for with, and whether that was for a second time.
    var generation: Int?
    var hasBeenReauthorized = false
    /// Whether another address than the one that was named has been tried.
    var hasMoved = false
    var wasWritable = (true, true)
    private var reported: Set<String> = []

    init(
        _ target: RemoteTarget, tokens: (any TokenSource)? = nil, memory: AddressMemory,
        maximumMessage: Int, loop: any EventLoop, logger: Logger
    ) {
        self.carrier = HTTPCarrier(
            target, tokens: tokens, dialect: .sse, memory: memory, maximumMessage: maximumMessage, loop: loop,
            logger: logger)
        self.loop = loop
        self.logger = logger
    }

    var isOpen: Bool { if case .open = self.state { true } else { false } }

    /// Says what is odd about the server, each kind once.
    func report(_ oddity: String) {
        guard self.reported.insert(oddity).inserted else { return }
        self.logger.warning("upstream breaks a rule; not reported again", metadata: ["reason": "\(oddity)"])
    }

    func start() {
        guard case .new = self.state else { return }
        self.state = .opening
        do throws(HTTPTargetError) {
            try self.carrier.open()
        } catch {
            // Told in a later turn, so that whoever starts it has it in hand by then.
            return self.loop.assumeIsolated().execute { self.lose(.unreachable(error.reason)) }
        }
        guard let peace = self.carrier.greets() else { return self.openStream() }
        self.loop.assumeIsolated().execute { self.lose(.busy(HTTPLoss.peace, retryAfter: peace)) }
    }

    /// Asks for the stream, once there is a token where one is needed.
    func openStream() {
        guard case .opening = self.state else { return }
        switch self.carrier.tokens?.credential ?? .none {
        case .wait: self.carrier.tokens?.whenSettled { [weak self] in self?.openStream() }
        case .refuse(let words): self.loop.assumeIsolated().execute { self.lose(.unauthorized(words)) }
        case .none, .bearer:
            guard let request = self.carrier.endpoint()?.listen() else { return }
            self.carrier.greets()
            self.page = nil
            self.generation = self.carrier.generation
            self.stream = self.carrier.send(request, to: self)
            self.stream?.isReading = self.isReading
        }
    }

    /// The server does not know the address that it has named: another stream names another one, and all is said anew.
    func listenAgain(_ words: String) {
        guard case .open = self.state else { return }
        self.state = .opening
        self.isReopened = true
        self.endpoint = nil
        self.hasMoved = false
        self.early = EarlyMessages()
        self.carrier.forgetCookies()
        self.stream?.cancel()
        self.loseElsewhere("its session was lost")
        self.logger.info("upstream has lost the session; opening another", metadata: ["error": "\(words)"])
        self.openStream()
        self.delegate?.connectionLostSession(self, refusesRevision: false)
    }

    /// The address for what is said to the server is known.
    func opened() {
        self.state = .open
        if !self.isReopened { self.delegate?.connectionOpened(self) }
        let unaddressed = self.unaddressed
        self.unaddressed = []
        for post in unaddressed { self.dispatch(post) }
    }

    func adopt(_ configuration: UpstreamConfiguration) { self.carrier.adopt(configuration.transport) }

    // MARK: Saying

    private var takesMessages: Bool {
        switch self.state {
        case .open: true
        case .opening: self.isReopened
        case .new, .lost, .ending, .ended: false
        }
    }

    var isWritable: Bool {
        self.takesMessages && self.session.takesMore && self.posts.count < StreamableHTTP.mostPosts
    }
    var takesOwnWords: Bool {
        self.takesMessages && self.posts.count + self.unaddressed.count < 2 * StreamableHTTP.mostPosts
    }

    func send(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, hold: PayloadHold?) {
        guard self.takesMessages else { return }
        var sending = self.session.send(isRequest: request != nil) { message.string("method") }
        // The server may ask before it is greeted.
        if sending == .never, message.member("method") == nil { sending = .now }
        guard let kind = HTTPPost.Kind(sending, isRequest: request != nil) else { return }
        let method = request == nil ? nil : message.string("method")
        let post = self.makePost(message, replacing: edits, request: request, method: method, kind: kind, hold: hold)
        if sending == .later { self.waiting.append(post) } else { self.dispatch(post) }
        self.wasWritable = (self.isWritable, self.takesOwnWords)
    }

    func dispatch(_ post: HTTPPost) {
        guard self.takesMessages, !post.isForgotten, self.isTurn(of: post) else { return }
        guard case .open = self.state, let endpoint else {
            self.posts[ObjectIdentifier(post)] = nil
            return self.unaddressed.append(post)
        }
        guard self.isWelcome(post), self.isAuthorized(post), var destination = self.carrier.endpoint() else { return }
        destination.address = endpoint
        self.posts[ObjectIdentifier(post)] = post
        post.generation = self.carrier.generation
        post.send(to: destination, inSession: self.session.number)
    }

    var isReading = true {
        didSet {
            guard self.isReading != oldValue else { return }
            for post in self.posts.values { post.isReading = self.isReading }
            self.stream?.isReading = self.isReading
        }
    }

    // MARK: End

    func lose(_ loss: HTTPLoss) {
        let loss = self.carrier.lost(loss)
        if case .opening = self.state, case .foreign(let reason) = loss, self.onForeign?(reason) ?? false { return }
        switch self.state {
        case .opening, .open: self.state = .lost
        case .new, .lost, .ending, .ended: return
        }
        self.tell(loss)
    }

    func end(_ manner: EndManner) {
        switch self.state {
        case .new, .opening, .open, .lost: break
        case .ending, .ended: return
        }
        self.state = .ending
        for post in self.posts.values { post.cancel() }
        self.posts = [:]
        self.requests = [:]
        self.waiting = []
        self.unaddressed = []
        self.stream?.cancel()
        self.stream = nil
        self.carrier.shutDown {
            self.state = .ended
            self.delegate?.connectionEnded(self)
            self.delegate = nil
        }
    }
}
