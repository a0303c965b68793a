import BridgeCore
import BridgeOAuth
import NIOCore
import NIOHTTP1

/// Messages that need a token.
extension PostingConnection {
    /// Whether it can be sent now. Else it waits for a token, at most as long as whoever has sent it, or is told in a later turn
    /// that there is none.
    func isAuthorized(_ post: HTTPPost) -> Bool {
        guard let tokens = self.carrier.tokens else { return true }
        switch tokens.credential {
        case .none, .bearer: return true
        case .wait:
            tokens.whenSettled { [weak self, weak post] in
                guard let self, let post, self.posts[ObjectIdentifier(post)] === post else { return }
                self.dispatch(post)
            }
            self.waitForToken(post, tokens)
        case .refuse(let words):
            self.loop.assumeIsolated().execute { [weak self, weak post] in
                guard let self, let post, self.isOpen, !post.isForgotten else { return }
                self.failed(post, .unauthorized(words))
                self.settle()
            }
        }
        self.posts[ObjectIdentifier(post)] = post
        return false
    }

    /// Nobody waits for a token for minutes: who asks is told that it did not run.
    private func waitForToken(_ post: HTTPPost, _ tokens: any TokenSource) {
        post.wait(HTTPCarrier.tokenTime) { [weak self, weak post] in
            guard let self, let post, self.isOpen, tokens.credential == .wait else { return }
            if post.kind == .greeting { return self.lose(.unreachable(tokens.hindrance)) }
            self.over(post, tokens.hindrance, sent: false)
            self.settle()
        }
    }

    /// The answer is 401, or 403 with a challenge. It did not run.
    func unauthorized(_ post: HTTPPost, _ head: HTTPResponseHead, _ body: ByteBuffer?) {
        let words = self.words.challenge(head.status, head.headers, body)
        guard let tokens = self.carrier.tokens else { return self.failed(post, .signInNeeded(words)) }
        let challenge = BearerChallenge(head.headers["WWW-Authenticate"])
        if head.status.code == 403 {
            guard let challenge, challenge.error == "insufficient_scope", post.generation != nil else {
                return self.failed(post, .signInNeeded(words))
            }
            let told = tokens.lacked(challenge, operation: post.method ?? "")
            return post.kind == .greeting
                ? self.failed(post, .unauthorized(told)) : self.over(post, told, sent: false)
        }
        switch tokens.refused(generation: post.generation, challenge) {
        case .again, .wait:
            // Once: what is refused with a new token, too, is refused for another reason.
            guard !post.hasBeenReauthorized else { return self.failed(post, .signInNeeded(words)) }
            // Somebody has been asked on its account: it alone is not sent again.
            guard post.canBeSent else { return self.over(post, "it was refused (\(words))", sent: false) }
            post.hasBeenReauthorized = true
            self.dispatch(post)
        case .refuse(let told): self.failed(post, .unauthorized("\(told) (\(words))"))
        }
    }
}

extension HTTPResponseStatus {
    /// Whether servers are known to say this to who has no token.
    var mayWantToken: Bool { [400, 403, 500].contains(self.code) }
}
