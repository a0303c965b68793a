import BridgeConfiguration
import BridgeCore
import BridgeHTTPClient
import BridgeLink
import Logging
import NIOCore
import NIOHTTP1

/// A connection to a server by Streamable HTTP (basic/transports): each message is a POST of its own, and what the server
/// says by itself comes over a GET.
///
/// Confined to its event loop.
final class StreamableHTTP: PostingConnection {
    enum State { case new, open, lost, ending, ended }

    /// Requests that are posted at once; further ones wait where they are.
    static let mostPosts = 512
    /// A stream that nothing comes over may be dead without anybody knowing.
    private static let listeningSilence = TimeAmount.seconds(300)

    /// Until the end, which is always told.
    var delegate: (any ConnectionDelegate)?
    var onForeign: ((_ reason: String) -> Bool)?
    let loop: any EventLoop
    let logger: Logger
    let carrier: HTTPCarrier
    var state = State.new
    var session = HTTPSession()
    var posts: [ObjectIdentifier: HTTPPost] = [:]
    var requests: [Int: HTTPPost] = [:]
    var waiting: [HTTPPost] = []
    var pendingLoss: HTTPLoss?
    /// The notification that the session is open, while the server seems not to be there.
    var unconfirmed: HTTPPost?
    /// Whether the server knows the session.
    var inquiry: SessionInquiry?
    /// Whether the server says that it will tell of changes by itself.
    var promisesNews = false
    /// Of the token that a request was last taken with.
    var acceptedGeneration: Int?
    /// Kinds of mistakes that have been logged.
    var reported: Set<String> = []
    var wasWritable = (true, true)
    lazy var listener = HTTPListener(loop: self.loop, owner: self)

    init(
        _ target: RemoteTarget, tokens: (any TokenSource)? = nil, memory: AddressMemory,
        maximumMessage: Int, loop: any EventLoop, logger: Logger
    ) {
        self.carrier = HTTPCarrier(
            target, tokens: tokens, dialect: .streamableHTTP, memory: memory, maximumMessage: maximumMessage,
            loop: loop,
            logger: logger)
        self.loop = loop
        self.logger = logger
    }

    var isOpen: Bool { if case .open = self.state { true } else { false } }

    // MARK: Start

    func start() {
        guard case .new = self.state else { return }
        self.state = .open
        do throws(HTTPTargetError) {
            try self.carrier.open()
        } catch {
            // Told in a later turn, so that whoever starts it has it in hand by then.
            return self.later { $0.lose(.unreachable(error.reason)) }
        }
        self.later { if case .open = $0.state { $0.delegate?.connectionOpened($0) } }
    }

    /// What belongs to the session that there was.
    func forgetSession() {
        self.listener.end()
        self.unconfirmed = nil
        self.inquiry?.cancel()
        self.inquiry = nil
    }

    private func later(_ body: @escaping (StreamableHTTP) -> Void) {
        self.loop.assumeIsolated().execute { body(self) }
    }

    /// Takes new headers; the session goes on.
    func adopt(_ configuration: UpstreamConfiguration) { self.carrier.adopt(configuration.transport) }

    // MARK: Saying

    var isWritable: Bool {
        guard case .open = self.state else { return false }
        return self.session.takesMore && self.posts.count < Self.mostPosts
    }

    var takesOwnWords: Bool {
        guard case .open = self.state else { return false }
        return self.session.takesMore && self.posts.count < 2 * Self.mostPosts
    }

    func send(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, hold: PayloadHold?) {
        guard case .open = self.state else { return }
        let method = { message.string("method") }
        let sending = self.session.send(isRequest: request != nil, method: method)
        guard let kind = HTTPPost.Kind(sending, isRequest: request != nil) else { return }
        let called = request == nil ? nil : method()
        // Whatever the server promises: it may take this, and then has something to say.
        if called == "resources/subscribe" { self.listener.passed() }
        if sending == .now, request != nil { self.listener.wanted() }
        let post = self.makePost(
            message, replacing: edits, request: request, method: called, kind: kind, hold: hold)
        if sending == .later { self.waiting.append(post) } else { self.dispatch(post) }
        self.wasWritable = (self.isWritable, self.takesOwnWords)
    }

    func dispatch(_ post: HTTPPost) {
        guard case .open = self.state, !post.isForgotten, self.isTurn(of: post), self.isWelcome(post),
            self.isAuthorized(post), let destination = self.current(for: post.kind)
        else { return }
        self.posts[ObjectIdentifier(post)] = post
        post.generation = self.carrier.generation
        post.send(to: destination, inSession: self.session.number)
    }

    /// The endpoint, with what the session adds to each request.
    func current(for kind: HTTPPost.Kind = .other) -> MCPDestination? {
        guard kind != .greeting else { return self.carrier.endpoint() }
        return self.carrier.endpoint(session: self.session.id, revision: self.session.revision)
    }

    // MARK: Hearing

    var isReading = true {
        didSet {
            guard self.isReading != oldValue else { return }
            for post in self.posts.values { post.isReading = self.isReading }
            self.listener.isReading = self.isReading
        }
    }

    func took(_ head: HTTPResponseHead) {
        self.carrier.took(head)
        self.delegate?.connectionSpoke(self)
    }

    func listening(after event: String?) -> HTTPRequest? {
        var request = self.current()?.listen(after: event)
        request?.limits.idle = Self.listeningSilence
        return request
    }

    // MARK: End

    func end(_ manner: EndManner) {
        switch self.state {
        case .new, .open, .lost: break
        case .ending where manner == .now: return self.shutDown()
        case .ending, .ended: return
        }
        self.state = .ending
        for post in self.posts.values { post.cancel() }
        self.posts = [:]
        self.requests = [:]
        self.waiting = []
        self.forgetSession()
        guard let limit = manner.farewell, self.session.id != nil, let destination = self.current() else {
            return self.shutDown()
        }
        self.carrier.delete(destination, within: limit) { self.shutDown() }
    }

    private func shutDown() {
        guard case .ending = self.state else { return }
        self.state = .ended
        self.carrier.shutDown {
            self.delegate?.connectionEnded(self)
            self.delegate = nil
        }
    }
}

extension EndManner {
    /// How long the end of the session may take.
    fileprivate var farewell: TimeAmount? {
        switch self {
        case .politely: .seconds(2)
        case .promptly: .milliseconds(500)
        case .now: nil
        }
    }
}
