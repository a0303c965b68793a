import BridgeConfiguration
import BridgeCore
import BridgeHTTPClient
import BridgeLink
import BridgeMCP
import Glibc
import Logging
import NIOCore

/// A connection over HTTP that posts each message by itself, in the session that there is: what both transports have in
/// common. Confined to its event loop.
protocol PostingConnection: RemoteConnection, HTTPPostOwner {
    var loop: any EventLoop { get }
    var logger: Logger { get }
    var carrier: HTTPCarrier { get }
    var isOpen: Bool { get }
    var session: HTTPSession { get set }
    /// What is on its way, or put off.
    var posts: [ObjectIdentifier: HTTPPost] { get set }
    /// Requests that have no answer, by their ids.
    var requests: [Int: HTTPPost] { get set }
    /// What leaves once the session is open, in its order.
    var waiting: [HTTPPost] { get set }
    /// Why the connection is of no use any more, once nothing is under way.
    var pendingLoss: HTTPLoss? { get set }
    /// As it was last told.
    var wasWritable: (Bool, Bool) { get set }

    /// Sends it in the session that there is, or lets it wait for the next one.
    func dispatch(_ post: HTTPPost)
    /// A notification has been taken, or not: nobody is told.
    func confirmed(_ post: HTTPPost)
    func lose(_ loss: HTTPLoss)
}

extension PostingConnection {
    var pid: pid_t? { nil }
    var notes: [String] { self.carrier.notes }
    var words: ServerWords { self.carrier.words }
    func masked(_ text: String) -> String { self.words.masked(text) }
    func flush() {}

    // MARK: Saying

    func makePost(
        _ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], request: Int?, method: String?,
        kind: HTTPPost.Kind, hold: PayloadHold?
    ) -> HTTPPost {
        var body = message.bytes
        if !edits.isEmpty {
            body = ByteBuffer()
            message.write(to: &body, replacing: edits)
        }
        // Which question an answer is to, its id says: one that comes twice is one that comes late.
        let isAnswer = kind == .other && message.member("method") == nil
        let onlyReads = method.map(MethodTable.standard.onlyReads) ?? isAnswer
        let post = HTTPPost(
            body, request: request, method: method, kind: kind, onlyReads: onlyReads, era: self.session.era, hold: hold,
            loop: self.loop, owner: self)
        if let request { self.requests[request] = post }
        return post
    }

    /// Whether it can be sent in the session that there is. Else it waits for the next one, or means nothing there.
    func isTurn(of post: HTTPPost) -> Bool {
        let turn = self.session.turn(of: post.kind, handedOverIn: post.era)
        guard turn != .now else { return true }
        self.posts[ObjectIdentifier(post)] = nil
        if turn == .later {
            post.rest()
            self.waiting.append(post)
        } else {
            post.cancel()
        }
        return false
    }

    /// Whether it can be sent now. Else it is a greeting, and is told in a later turn that the server wants to be left in peace.
    func isWelcome(_ post: HTTPPost) -> Bool {
        guard post.kind == .greeting, let peace = self.carrier.greets(), !post.hasBeenRepeated else { return true }
        self.posts[ObjectIdentifier(post)] = post
        self.loop.assumeIsolated().execute { [weak self, weak post] in
            guard let self, let post, self.isOpen, !post.isForgotten else { return }
            self.posts[ObjectIdentifier(post)] = nil
            self.refused(post, HTTPLoss.peace, retryAfter: peace)
            self.settle()
        }
        return false
    }

    /// It was refused before anything was done. A server that wants it again soon gets it again, once, if whoever waits for
    /// it waits for so long.
    func refused(_ post: HTTPPost, _ words: String, retryAfter: Int?) {
        guard let retryAfter, self.mayHold(post, for: retryAfter) else {
            guard post.kind == .greeting else {
                return self.over(post, words, sent: false, retryAfter: retryAfter)
            }
            return self.failed(post, retryAfter.map { .busy(words, retryAfter: $0) } ?? .unreachable(words))
        }
        post.hasBeenRepeated = true
        self.posts[ObjectIdentifier(post)] = post
        if post.kind == .greeting { self.waits(words, for: retryAfter) }
        post.wait(.seconds(Int64(retryAfter))) { [weak self, weak post] in
            if let self, let post { self.dispatch(post) }
        }
    }

    /// The greeting is put off, and with it what has been handed over.
    private func waits(_ words: String, for seconds: Int) {
        self.carrier.keepPeace(for: seconds)
        self.delegate?.connectionWaits(self, reason: words, for: seconds)
        let late = self.waiting.filter { !$0.isForgotten && !self.hasTime($0, for: seconds) }
        self.waiting.removeAll { post in late.contains { $0 === post } }
        for post in late { self.over(post, words, sent: false, retryAfter: seconds) }
    }

    private func mayHold(_ post: HTTPPost, for seconds: Int) -> Bool {
        seconds <= RetryAfter.longestWait && post.canBeRepeated && self.hasTime(post, for: seconds)
    }

    private func hasTime(_ post: HTTPPost, for seconds: Int) -> Bool {
        guard let request = post.request, let delegate = self.delegate else { return true }
        return delegate.connection(self, mayHold: request, for: .seconds(Int64(seconds)))
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

    func start(_ request: HTTPRequest, to delegate: any MCPTransferDelegate) -> MCPTransfer {
        let transfer = self.carrier.send(request, to: delegate)
        if !self.isReading { transfer.isReading = false }
        return transfer
    }

    func transfer(_ request: HTTPRequest, to post: HTTPPost) -> MCPTransfer { self.start(request, to: post) }

    // MARK: What becomes of it

    func postSpoke(_ post: HTTPPost) { self.delegate?.connectionSpoke(self) }

    /// The server has taken the notification that the session is open: it is there, whatever an earlier message has met.
    func tookConfirmation(_ post: HTTPPost) {
        if post.session == self.session.number { self.pendingLoss = nil }
        self.confirmed(post)
    }

    func postOver(_ post: HTTPPost) {
        self.posts[ObjectIdentifier(post)] = nil
        if post.request == nil { self.confirmed(post) }
        self.settle()
    }

    /// There is no answer to it.
    ///
    /// - Parameters:
    ///   - sent: whether it may have run.
    ///   - retryAfter: in how many seconds the server wants to be asked again, where it says so.
    func over(_ post: HTTPPost, _ reason: String, sent: Bool, retryAfter: Int? = nil) {
        self.posts[ObjectIdentifier(post)] = nil
        guard let request = post.request else {
            self.logger.info(
                "what the upstream was told may not have reached it", metadata: ["error": "\(self.masked(reason))"])
            return self.confirmed(post)
        }
        post.cancel()
        self.requests[request] = nil
        self.delegate?.connection(
            self, lost: request, RequestLoss(reason: reason, sent: sent, retryAfter: retryAfter))
    }

    /// It did not run, and others would not.
    func failed(_ post: HTTPPost, _ loss: HTTPLoss) {
        guard post.kind != .greeting else {
            if loss.isOfPlace, post.canBeSent, self.carrier.goBack() { return self.dispatch(post) }
            return self.lose(loss)
        }
        self.pendingLoss = loss
        self.over(post, loss.reason, sent: false)
    }

    /// One is over: the connection may be lost for what an earlier one has met.
    func settle() {
        if let loss = self.pendingLoss, self.requests.values.allSatisfy({ !$0.mayHaveRun }) { return self.lose(loss) }
        self.checkWritable()
    }

    func tell(_ loss: HTTPLoss) {
        switch loss {
        case .unreachable, .foreign: self.delegate?.connectionLost(self, reason: loss.reason)
        case .busy(let reason, let retryAfter):
            self.delegate?.connectionLost(self, reason: reason, retryAfter: retryAfter)
        case .signInNeeded, .unauthorized: self.delegate?.connectionNeedsSignIn(self, reason: loss.reason)
        }
    }

    func giveUp(_ request: Int) {
        guard let post = self.requests.removeValue(forKey: request) else { return }
        self.waiting.removeAll { $0 === post }
        post.forget()
    }

    var unsentRequests: [Int] { self.requests.values.filter { !$0.mayHaveRun }.compactMap(\.request).sorted() }
}
