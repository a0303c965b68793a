import BridgeCore
import BridgeHTTPClient
import Logging
import NIOCore
import NIOHTTP1

/// What becomes of a message whose answer has a status of 300 or more.
extension StreamableHTTP {
    func post(_ post: HTTPPost, refusedWith head: HTTPResponseHead, _ body: ByteBuffer?) {
        self.posts[ObjectIdentifier(post)] = nil
        self.judge(RefusedPost(post: post, head: head, body: body))
        self.settle()
    }

    /// - Parameter isAlone: whether the server has shown that it takes other messages of the session.
    private func judge(_ refused: RefusedPost, isAlone: Bool = false) {
        let (post, head, body) = (refused.post, refused.head, refused.body)
        let refusal = HTTPRefusal(
            status: head.status, headers: head.headers, body: body, request: post.request,
            isGreeting: post.kind == .greeting, isOwn: post.isOwn, hasSession: post.hasSession, isAlone: isAlone,
            isHarmless: post.isHarmless, retryAfter: RetryAfter.seconds(head.headers, now: WallClock.seconds))
        let words = self.words.sentence(head.status, body)
        switch refusal {
        case .answer(let answer): self.take(answer, from: post)
        // Nobody has anything to lose in it yet.
        case .unclear(isRevision: true) where !self.session.isProven && post.sessionRefusals == 0:
            self.refusedSession(post, words, isRevision: true)
        case .unclear: self.inquire(about: refused)
        // One that is refused in every session would end each for everybody.
        case .sessionUnknown where post.kind == .other || (post.kind == .request && post.sessionRefusals > 0):
            self.inquire(about: refused)
        case .sessionUnknown: self.refusedSession(post, words, isRevision: false)
        case .revisionRefused: self.refusedSession(post, words, isRevision: true)
        case .signInNeeded: self.unauthorized(post, head, body)
        case .notRun, .mayHaveRun:
            if post.request == nil { self.report("what needs no answer is refused (\(head.status.code))") }
            if post.kind == .greeting, post.generation == nil, head.status.mayWantToken,
                let told = self.carrier.tokens?.wondered()
            {
                return self.failed(post, .unauthorized("\(told) (\(words))"))
            }
            if post.kind == .greeting, head.status.isOfForeigners {
                return self.failed(post, .foreign("initialize was answered with \(words)"))
            }
            if case .notRun(let retryAfter) = refusal {
                return self.refused(post, "it refused the request (\(words))", retryAfter: retryAfter)
            }
            if post.kind == .greeting {
                return self.failed(post, .unreachable("initialize was answered with \(words)"))
            }
            self.unanswered(post, "it answered with \(words)")
        }
    }

    /// One message that is refused is no reason to end everybody's session: the server is asked whether it knows that.
    private func inquire(about refused: RefusedPost) {
        let (post, words) = (refused.post, self.words.sentence(refused.head.status, refused.body))
        // That session is gone already.
        guard self.session.phase == .open, post.session == self.session.number, let destination = self.current() else {
            return self.refusedSession(post, words, isRevision: false)
        }
        if let inquiry { return inquiry.add(refused) }
        let inquiry = SessionInquiry(session: self.session.number) { [weak self] in self?.learned($1, by: $0) }
        self.inquiry = inquiry
        inquiry.add(refused)
        inquiry.start(to: destination) { self.start($0, to: $1) }
    }

    private func learned(_ verdict: SessionInquiry.Verdict, by inquiry: SessionInquiry) {
        self.inquiry = nil
        let isDoubted =
            verdict == .known && inquiry.refused.contains { $0.post.request != nil }
            && self.session.doubted(inSession: inquiry.session)
        for refused in inquiry.refused where !refused.post.isForgotten {
            guard case .open = self.state else { return }
            let words = self.words.sentence(refused.head.status, refused.body)
            switch verdict {
            case .unknown(let isRevision): self.refusedSession(refused.post, words, isRevision: isRevision)
            case .known where isDoubted && refused.post.sessionRefusals == 0:
                self.refusedSession(refused.post, words, isRevision: false)
            case .known, .open: self.judge(refused, isAlone: true)
            }
        }
        self.settle()
    }

    private func refusedSession(_ post: HTTPPost, _ words: String, isRevision: Bool) {
        let refusal = self.session.refused(inSession: post.session)
        post.sessionRefusals += 1
        switch refusal {
        case .hopeless:
            self.over(post, "its sessions are lost again and again (\(words))", sent: false)
            return self.lose(
                .unreachable(
                    "its sessions are lost as soon as they are opened, as where replicas do not share them: \(words)"))
        case .lost, .again: break
        }
        if post.kind == .request {
            if post.sessionRefusals > HTTPSession.mostLosses || !post.canBeSent {
                self.over(post, "it refused the session twice (\(words))", sent: false)
            } else {
                self.dispatch(post)
            }
        }
        guard refusal == .lost else { return }
        self.lostSession(words, isRevision: isRevision)
    }

    /// The server is greeted again.
    func lostSession(_ words: String, isRevision: Bool) {
        self.carrier.forgetCookies()
        let inDoubt = self.inquiry?.refused ?? []
        self.forgetSession()
        self.loseElsewhere("its session was lost")
        self.logger.info("upstream has lost the session; opening another", metadata: ["error": "\(words)"])
        self.delegate?.connectionLostSession(self, refusesRevision: isRevision)
        // What else was refused leaves in the session that follows.
        for refused in inDoubt where !refused.post.isForgotten {
            self.refusedSession(refused.post, words, isRevision: isRevision)
        }
    }
}
