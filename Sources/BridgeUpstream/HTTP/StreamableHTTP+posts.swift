import BridgeCore
import BridgeHTTPClient
import Logging
import NIOCore
import NIOHTTP1

/// What comes back for each message.
extension StreamableHTTP {
    func postBegan(_ post: HTTPPost, _ head: HTTPResponseHead) {
        self.took(head)
        if post.kind != .greeting, let id = head.headers.first(name: "Mcp-Session-Id"), id != self.session.id {
            self.report("another session id than the session's own, on an answer that opens none")
        }
        // Its body says nothing, and need not end.
        if post.kind == .confirmation, head.status.code < 300 { self.tookConfirmation(post) }
    }

    // MARK: Answers

    func post(_ post: HTTPPost, said message: JSONText, event: String?) {
        if let event, event != ServerSentEvent.standardName { self.report("an event of kind '\(event)'") }
        guard message.kind == .array else { return self.take(message, from: post) }
        message.elements { self.take(message[$0], from: post) }
    }

    func take(_ text: JSONText, from post: HTTPPost) {
        // One that ended the connection.
        guard case .open = self.state else { return }
        let own = post.stream.isAnswered ? nil : post.request
        let match = AnswerMatch.match(text, to: own) { self.requests[$0] != nil }
        if let answered = match.answered {
            guard let answeredPost = self.requests.removeValue(forKey: answered) else {
                // Nobody waits for it any more. It may tell of something that goes on at the server.
                self.delegate?.connection(self, received: match.message, answering: nil)
                return
            }
            if answeredPost.kind == .greeting { self.greeted(answeredPost, match.message) }
            self.succeeded(answeredPost)
            self.delegate?.connection(self, received: match.message, answering: answered)
            answeredPost.answered()
        } else if own == nil, OddMessage(text).meaning == .answer {
            // What has been answered, told again.
        } else {
            if match.asks { post.hasAsked() }
            self.delegate?.connection(self, received: text, answering: post.request)
        }
    }

    private func greeted(_ post: HTTPPost, _ message: JSONText) {
        guard let result = message.value("result") else { return self.session.greetingRefused() }
        self.carrier.remember(post.address)
        self.promisesNews = result.value("capabilities")?.promisesNews ?? false
        // From this answer only: there are servers that put an id that is good for nothing on others.
        self.session.greeted(
            id: post.head?.headers.first(name: "Mcp-Session-Id"), revision: result.string("protocolVersion"))
        self.checkWritable()
    }

    private func succeeded(_ post: HTTPPost) {
        self.carrier.tokens?.accepted(generation: post.generation)
        self.acceptedGeneration = post.generation
        guard post.kind == .request else { return }
        self.session.succeeded(inSession: post.session)
        self.reached()
        self.carrier.remember(post.address)
    }

    /// The server is there after all.
    private func reached() {
        self.pendingLoss = nil
        guard let post = self.unconfirmed else { return }
        self.unconfirmed = nil
        self.dispatch(post)
    }

    func post(_ post: HTTPPost, saidUnreadable bytes: ByteBuffer, reason: String, isWhole: Bool) {
        if isWhole, post.kind == .greeting, bytes.looksLikePage {
            let words = self.words.quoted(bytes)
            return self.lose(
                bytes.asksForSignIn
                    ? .signInNeeded("it answers with a page: \(words)")
                    : .unreachable("it answers with a page, and not as an MCP server does: \(words)"))
        }
        let words = ByteBuffer(string: self.words.quoted(bytes))
        let what = Unreadable(bytes: words, reason: reason)
        guard isWhole, let request = post.request, self.requests.removeValue(forKey: request) != nil else {
            self.delegate?.connection(self, couldNotRead: what, answering: nil)
            return
        }
        post.answered()
        self.delegate?.connection(self, couldNotRead: what, answering: request)
        // Others would be answered so, too.
        guard bytes.looksLikePage, bytes.asksForSignIn else { return }
        self.pendingLoss = .signInNeeded("it answers with a page: \(self.words.quoted(bytes))")
        self.settle()
    }

    // MARK: Losses

    func post(_ post: HTTPPost, failedWith failure: HTTPFailure) {
        self.posts[ObjectIdentifier(post)] = nil
        defer { self.settle() }
        if failure.leadsToSignIn { return self.failed(post, .signInNeeded(failure.description)) }
        if failure.mayHaveRun {
            return post.kind == .greeting
                ? self.failed(post, .unreachable(failure.description))
                : self.unanswered(post, failure.description)
        }
        // A connection that was being closed: another one is made.
        if failure.isRefusedConnection, post.canBeRepeated, post.kind != .greeting {
            post.hasBeenRepeated = true
            return self.dispatch(post)
        }
        if failure.isUnreachable || post.kind == .greeting {
            self.failed(post, .unreachable(failure.description))
        } else {
            self.over(post, failure.description, sent: false)
        }
    }

    func post(_ post: HTTPPost, ended ending: HTTPPost.Ending, reason: String) {
        guard post.request != nil else { return self.postOver(post) }
        let end = ending == .gone ? .lost : post.ended(isClean: ending == .clean, isListening: self.listener.isOpen)
        switch end {
        case .over: self.postOver(post)
        case .lost:
            self.posts[ObjectIdentifier(post)] = nil
            if post.kind == .greeting {
                self.failed(post, .unreachable("initialize: \(reason)"))
            } else {
                self.unanswered(post, reason)
            }
            self.settle()
        case .elsewhere: post.isElsewhere = true
        case .resume(let event, let delay):
            post.wait(delay) { [weak self, weak post] in
                if let self, let post { self.resume(post, after: event) }
            }
        }
    }

    /// Asks for the rest of its answer, in the session that it is of.
    private func resume(_ post: HTTPPost, after event: String) {
        let isOver = post.kind == .request && (self.session.phase != .open || post.session != self.session.number)
        guard !isOver, let request = self.listening(after: event) else {
            self.unanswered(post, "its session was lost")
            return self.settle()
        }
        post.resume(request)
    }

    /// There is no answer, and it may have run.
    func unanswered(_ post: HTTPPost, _ reason: String) {
        if post.onlyReads, post.canBeRepeated, self.session.phase == .open {
            post.hasBeenRepeated = true
            return self.dispatch(post)
        }
        self.over(post, reason, sent: true)
    }

    func confirmed(_ post: HTTPPost) {
        self.posts[ObjectIdentifier(post)] = nil
        guard case .open = self.state, post.kind == .confirmation, post.session == self.session.number,
            self.session.phase == .confirming
        else { return }
        guard self.pendingLoss == nil else {
            self.unconfirmed = post
            return
        }
        guard self.session.confirmed() else { return }
        self.listener.begin(hasSession: self.session.id != nil, isPromised: self.promisesNews)
        self.sendWaiting()
    }

    // MARK: The end of it

    func loseElsewhere(_ reason: String) {
        for post in self.requests.values where post.isElsewhere {
            post.isElsewhere = false
            self.unanswered(post, "the answer did not come over another stream: \(reason)")
        }
    }

    func lose(_ loss: HTTPLoss) {
        guard case .open = self.state else { return }
        let loss = self.carrier.lost(loss)
        if case .foreign(let reason) = loss, self.onForeign?(reason) ?? false { return }
        self.state = .lost
        self.tell(loss)
    }

    func report(_ oddity: String) {
        guard self.reported.count < 16, self.reported.insert(oddity).inserted else { return }
        self.logger.warning(
            "upstream is understood although it breaks a rule; not reported again",
            metadata: ["reason": "\(self.words.masked(oddity))"])
    }
}
