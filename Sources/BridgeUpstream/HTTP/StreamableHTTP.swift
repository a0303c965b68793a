import BridgeConfiguration
import BridgeCore
import BridgeHTTPClient
import BridgeLink
import BridgeMCP
import Glibc
import Logging
import NIOCore
import NIOHTTP1

/// A connection to a server by Streamable HTTP (basic/transports): each message is a POST of its own, and what the server
/// says by itself comes over a GET.
///
/// Confined to its event loop.
final class StreamableHTTP: RemoteConnection {
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
    /// Requests that have no answer, by their ids.
    var requests: [Int: HTTPPost] = [:]
    /// What leaves once the session is open, in its order.
    var waiting: [HTTPPost] = []
    /// Why the connection is of no use any more, once nothing is under way.
    var pendingLoss: HTTPLoss?
    /// The notification that the session is open, while the server seems not to be there.
    var unconfirmed: HTTPPost?
    /// Whether the server knows the session.
    var inquiry: SessionInquiry?
    /// Whether the server says that it will tell of changes by itself.
    var promisesNews = false
    /// Kinds of mistakes that have been logged.
    var reported: Set<String> = []
    private var wasWritable = (true, true)
    /// Of the token that the stream was last asked for with.
    var listeningGeneration: Int?
    lazy var listener = HTTPListener(loop: self.loop, owner: self)

    init(
        _ target: RemoteTarget, tokens: (any TokenSource)? = nil, maximumMessage: Int, loop: any EventLoop,
        logger: Logger
    ) {
        self.carrier = HTTPCarrier(
            target, tokens: tokens, maximumMessage: maximumMessage, loop: loop, logger: logger)
        self.loop = loop
        self.logger = logger
    }

    var pid: pid_t? { nil }
    var notes: [String] { self.carrier.notes }
    var words: ServerWords { self.carrier.words }
    func masked(_ text: String) -> String { self.words.masked(text) }

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
        var body = message.bytes
        if !edits.isEmpty {
            body = ByteBuffer()
            message.write(to: &body, replacing: edits)
        }
        let called = request == nil ? nil : method()
        // Whatever the server promises: it may take this, and then has something to say.
        if called == "resources/subscribe" { self.listener.passed() }
        if sending == .now, request != nil { self.listener.wanted() }
        let onlyReads = called.map(MethodTable.standard.onlyReads) ?? false
        let post = HTTPPost(
            body, request: request, method: called, kind: kind, onlyReads: onlyReads, hold: hold, loop: self.loop,
            owner: self)
        if let request { self.requests[request] = post }
        if sending == .later { self.waiting.append(post) } else { self.dispatch(post) }
        self.wasWritable = (self.isWritable, self.takesOwnWords)
    }

    func flush() {}

    /// Sends it in the session that there is.
    func dispatch(_ post: HTTPPost) {
        guard case .open = self.state, !post.isForgotten, self.isAuthorized(post),
            let destination = self.current(for: post.kind)
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

    /// What waits for the session leaves.
    func sendWaiting() {
        let waiting = self.waiting
        self.waiting = []
        for post in waiting { self.dispatch(post) }
        self.checkWritable()
    }

    func checkWritable() {
        let now = (self.isWritable, self.takesOwnWords)
        let before = self.wasWritable
        self.wasWritable = now
        if (now.0 && !before.0) || (now.1 && !before.1) { self.delegate?.connectionBecameWritable(self) }
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

    func start(_ request: HTTPRequest, to delegate: any MCPTransferDelegate) -> MCPTransfer {
        let transfer = self.carrier.send(request, to: delegate)
        if !self.isReading { transfer.isReading = false }
        return transfer
    }

    func listening(after event: String?) -> HTTPRequest? {
        var request = self.current()?.listen(after: event)
        request?.limits.idle = Self.listeningSilence
        return request
    }

    // MARK: End

    func giveUp(_ request: Int) {
        guard let post = self.requests.removeValue(forKey: request) else { return }
        self.waiting.removeAll { $0 === post }
        post.forget()
    }

    var unsentRequests: [Int] { self.requests.values.filter { !$0.mayHaveRun }.compactMap(\.request).sorted() }

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
