import BridgeConfiguration
import BridgeCore
import BridgeHTTPClient
import BridgeLink
import Glibc
import Logging
import NIOCore
import NIOHTTP1

/// A connection to a server by HTTP+SSE, as the revision 2024-11-05 has it: one stream for all that the server says, whose
/// first event names the address for what is said to it.
///
/// Confined to its event loop.
final class EventStreamHTTP: RemoteConnection {
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
    /// What the server said before it named an address.
    var early: [JSONText] = []
    var posts: [ObjectIdentifier: HTTPPost] = [:]
    /// Requests that have no answer, by their ids.
    var requests: [Int: HTTPPost] = [:]
    var pendingLoss: HTTPLoss?
    /// Whether another address than the one that was named has been tried.
    var hasMoved = false
    private var hasGreeted = false

    init(_ target: RemoteTarget, maximumMessage: Int, loop: any EventLoop, logger: Logger) {
        self.carrier = HTTPCarrier(target, maximumMessage: maximumMessage, loop: loop, logger: logger)
        self.loop = loop
        self.logger = logger
    }

    var pid: pid_t? { nil }
    var notes: [String] { self.carrier.notes }
    var words: ServerWords { self.carrier.words }

    func start() {
        guard case .new = self.state else { return }
        self.state = .opening
        do throws(HTTPTargetError) {
            try self.carrier.open()
        } catch {
            // Told in a later turn, so that whoever starts it has it in hand by then.
            return self.loop.assumeIsolated().execute { self.lose(.unreachable(error.reason)) }
        }
        guard let request = self.carrier.endpoint()?.listen() else { return }
        self.stream = self.carrier.send(request, to: self)
        self.stream?.isReading = self.isReading
    }

    func adopt(_ configuration: UpstreamConfiguration) { self.carrier.adopt(configuration.transport) }

    // MARK: Saying

    var isWritable: Bool {
        guard case .open = self.state else { return false }
        return self.posts.count < StreamableHTTP.mostPosts
    }

    func send(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, hold: PayloadHold?) {
        guard case .open = self.state else { return }
        var body = message.bytes
        if !edits.isEmpty {
            body = ByteBuffer()
            message.write(to: &body, replacing: edits)
        }
        let kind: HTTPPost.Kind = request == nil ? .other : self.hasGreeted ? .request : .greeting
        self.hasGreeted = true
        let post = HTTPPost(
            body, request: request, kind: kind, onlyReads: false, hold: hold, loop: self.loop, owner: self)
        if let request { self.requests[request] = post }
        self.dispatch(post)
    }

    func flush() {}

    func dispatch(_ post: HTTPPost) {
        guard case .open = self.state, !post.isForgotten, let endpoint, var destination = self.carrier.endpoint() else {
            return
        }
        destination.address = endpoint
        self.posts[ObjectIdentifier(post)] = post
        post.send(to: destination, inSession: 0)
    }

    var isReading = true {
        didSet {
            guard self.isReading != oldValue else { return }
            for post in self.posts.values { post.isReading = self.isReading }
            self.stream?.isReading = self.isReading
        }
    }

    // MARK: End

    func giveUp(_ request: Int) { self.requests.removeValue(forKey: request)?.forget() }

    var unsentRequests: [Int] { self.requests.values.filter { !$0.mayHaveRun }.compactMap(\.request).sorted() }

    func lose(_ loss: HTTPLoss) {
        if case .opening = self.state, case .foreign(let reason) = loss, self.onForeign?(reason) ?? false { return }
        switch self.state {
        case .opening, .open: self.state = .lost
        case .new, .lost, .ending, .ended: return
        }
        switch loss {
        case .unreachable, .foreign: self.delegate?.connectionLost(self, reason: loss.reason)
        case .signInNeeded: self.delegate?.connectionNeedsSignIn(self, reason: loss.reason)
        }
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
        self.stream?.cancel()
        self.stream = nil
        self.carrier.shutDown {
            self.state = .ended
            self.delegate?.connectionEnded(self)
            self.delegate = nil
        }
    }
}
