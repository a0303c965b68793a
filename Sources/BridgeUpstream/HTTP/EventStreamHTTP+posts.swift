import BridgeCore
import BridgeHTTPClient
import Logging
import NIOCore
import NIOHTTP1

/// What comes back for each message: as a rule nothing but that it was taken, which says nothing of the stream that answers
/// come over.
extension EventStreamHTTP {
    func postBegan(_ post: HTTPPost, _ head: HTTPResponseHead) {
        self.carrier.took(head)
        if head.status.code < 300 { self.remember(post) }
        if post.kind == .confirmation, head.status.code < 300 { self.tookConfirmation(post) }
    }

    /// What follows goes at once where this one was redirected to.
    private func remember(_ post: HTTPPost) {
        guard let target = post.address, let endpoint, target != endpoint, post.destination == endpoint else { return }
        self.endpoint = target
        self.logger.info("upstream redirects; what follows goes there at once", metadata: ["url": "\(target)"])
    }

    func postSpoke(_ post: HTTPPost) {}

    func post(_ post: HTTPPost, said message: JSONText, event: String?) {
        guard message.kind == .array else { return self.take(message, from: post) }
        message.elements { self.take(message[$0], from: post) }
    }

    func post(_ post: HTTPPost, saidUnreadable bytes: ByteBuffer, reason: String, isWhole: Bool) {
        // `Accepted`, for one: the answer comes over the stream. Behind a page to sign in by, nothing does.
        guard isWhole, bytes.looksLikePage, bytes.asksForSignIn else { return }
        let words = "it answers with a page: \(self.words.quoted(bytes))"
        if post.kind == .greeting { return self.lose(.signInNeeded(words)) }
        guard let request = post.request, self.requests.removeValue(forKey: request) != nil else { return }
        post.answered()
        self.delegate?.connection(self, lost: request, RequestLoss(reason: words, sent: true))
        self.pendingLoss = .signInNeeded(words)
        self.settle()
    }

    func post(_ post: HTTPPost, refusedWith head: HTTPResponseHead, _ body: ByteBuffer?) {
        self.posts[ObjectIdentifier(post)] = nil
        defer { self.settle() }
        // Nothing will come over the stream for it: this is all that the server has to say.
        self.delegate?.connectionSpoke(self)
        let words = self.words.sentence(head.status, body)
        let isUnknown = head.status.code == 404 || head.status.code == 410
        if isUnknown, post.kind == .greeting, self.moveEndpoint() { return self.dispatch(post) }
        if isUnknown { return self.refusedSession(post, "it does not know its own address for messages (\(words))") }
        let refusal = HTTPRefusal(
            status: head.status, headers: head.headers, body: body, request: post.request,
            isGreeting: post.kind == .greeting, isOwn: post.isOwn, hasSession: false, isHarmless: post.isHarmless,
            retryAfter: RetryAfter.seconds(head.headers, now: WallClock.seconds))
        if post.request == nil, refusal != .signInNeeded {
            self.report("what needs no answer is refused (\(head.status.code))")
        }
        switch refusal {
        case .answer(let answer): self.take(answer, from: post)
        case .signInNeeded: self.unauthorized(post, head, body)
        case .notRun(let retryAfter?):
            self.refused(post, "it refused the request (\(words))", retryAfter: retryAfter)
        case .notRun, .sessionUnknown, .unclear, .revisionRefused:
            self.over(post, "it refused the request (\(words))", sent: false)
        case .mayHaveRun: self.over(post, "it answered with \(words)", sent: true)
        }
    }

    /// It did not run; it is sent once more, to another address.
    private func refusedSession(_ post: HTTPPost, _ words: String) {
        guard post.kind != .greeting else { return self.failed(post, .unreachable(words)) }
        let refusal = self.session.refused(inSession: post.session)
        post.sessionRefusals += 1
        guard refusal != .hopeless else {
            self.over(post, words, sent: false)
            return self.lose(.unreachable(words))
        }
        if post.request != nil {
            if post.sessionRefusals > 1 || !post.canBeSent {
                self.over(post, words, sent: false)
            } else {
                self.dispatch(post)
            }
        }
        // Whoever had the misfortune: without another session, what comes next would wait for one.
        if refusal == .lost { self.listenAgain(words) }
    }

    /// What was taken, and has its answer over a stream that is no more.
    func loseElsewhere(_ reason: String) {
        for post in self.requests.values where post.isElsewhere {
            post.isElsewhere = false
            self.over(post, "the answer did not come over the stream: \(reason)", sent: true)
        }
    }

    /// Servers behind a proxy may not know the folder that they stand in: the address is looked for there, once.
    private func moveEndpoint() -> Bool {
        guard !self.hasMoved, let source, let endpoint, let moved = endpoint.moved(belowFolderOf: source) else {
            return false
        }
        self.hasMoved = true
        self.endpoint = moved
        self.logger.info("upstream names an address that is not there; another is tried", metadata: ["url": "\(moved)"])
        return true
    }

    func post(_ post: HTTPPost, failedWith failure: HTTPFailure) {
        self.posts[ObjectIdentifier(post)] = nil
        defer { self.settle() }
        if failure.leadsToSignIn { return self.failed(post, .signInNeeded(failure.description)) }
        let mayRepeat = failure.mayHaveRun ? post.request == nil && post.onlyReads : failure.isRefusedConnection
        if mayRepeat, post.canBeRepeated {
            post.hasBeenRepeated = true
            return self.dispatch(post)
        }
        if failure.isUnreachable, !failure.mayHaveRun { return self.failed(post, .unreachable(failure.description)) }
        // What the server makes of it may come over the stream, if it has it.
        self.over(post, failure.description, sent: failure.mayHaveRun)
    }

    func post(_ post: HTTPPost, ended ending: HTTPPost.Ending, reason: String) {
        // The answer comes over the stream.
        if post.request == nil { return self.postOver(post) }
        let isStale = self.session.phase != .open || post.session != self.session.number
        if post.kind == .request, isStale { return self.over(post, "its session was lost", sent: true) }
        post.isElsewhere = true
    }

    func confirmed(_ post: HTTPPost) {
        guard post.kind == .confirmation, post.session == self.session.number, self.session.confirmed() else { return }
        self.sendWaiting()
    }
}
