import BridgeCore
import BridgeOAuth
import NIOCore
import NIOHTTP1

/// What needs a token: the stream, and each message.
extension EventStreamHTTP {
    /// As ``StreamableHTTP/isAuthorized(_:)``.
    func isAuthorized(_ post: HTTPPost) -> Bool {
        guard let tokens = self.carrier.tokens else { return true }
        switch tokens.credential {
        case .none, .bearer: return true
        case .wait:
            tokens.whenSettled { [weak self, weak post] in
                guard let self, let post, self.posts[ObjectIdentifier(post)] === post else { return }
                self.dispatch(post)
            }
            post.wait(HTTPCarrier.tokenTime) { [weak self, weak post] in
                guard let self, let post, case .open = self.state, tokens.credential == .wait else { return }
                self.posts[ObjectIdentifier(post)] = nil
                if post.kind == .greeting { return self.lose(.unreachable(tokens.hindrance)) }
                self.over(post, tokens.hindrance, sent: false)
            }
        case .refuse(let words):
            self.loop.assumeIsolated().execute { [weak self, weak post] in
                guard let self, let post, case .open = self.state, !post.isForgotten else { return }
                self.failed(post, .unauthorized(words))
                self.settle()
            }
        }
        self.posts[ObjectIdentifier(post)] = post
        return false
    }

    /// The stream is refused.
    func unauthorized(_ head: HTTPResponseHead) {
        let words = self.words.challenge(head.status, head.headers, nil)
        guard let tokens = self.carrier.tokens, head.status.code == 401 else { return self.lose(.signInNeeded(words)) }
        switch tokens.refused(generation: self.generation, BearerChallenge(head.headers["WWW-Authenticate"])) {
        case .again, .wait:
            guard !self.hasBeenReauthorized else { return self.lose(.signInNeeded(words)) }
            self.hasBeenReauthorized = true
            self.openStream()
        case .refuse(let told): self.lose(.unauthorized("\(told) (\(words))"))
        }
    }

    /// A message is refused. It did not run.
    func unauthorized(_ post: HTTPPost, _ head: HTTPResponseHead, _ body: ByteBuffer?) {
        let words = self.words.challenge(head.status, head.headers, body)
        guard let tokens = self.carrier.tokens else { return self.failed(post, .signInNeeded(words)) }
        let challenge = BearerChallenge(head.headers["WWW-Authenticate"])
        if head.status.code == 403 {
            guard let challenge, challenge.error == "insufficient_scope", post.kind != .greeting else {
                return self.failed(post, .signInNeeded(words))
            }
            return self.over(post, tokens.lacked(challenge, operation: post.method ?? ""), sent: false)
        }
        switch tokens.refused(generation: post.generation, challenge) {
        case .again, .wait:
            guard !post.hasBeenReauthorized, post.canBeSent else { return self.failed(post, .signInNeeded(words)) }
            post.hasBeenReauthorized = true
            self.dispatch(post)
        case .refuse(let told): self.failed(post, .unauthorized("\(told) (\(words))"))
        }
    }
}
