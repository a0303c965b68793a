import BridgeCore
import BridgeHTTPClient
import BridgeOAuth
import NIOCore
import NIOHTTP1

/// What the server says by itself.
extension StreamableHTTP: HTTPListenerOwner {
    func listen(after event: String?, to listener: HTTPListener) -> MCPTransfer {
        guard let request = self.listening(after: event) else { preconditionFailure("there is a session") }
        return self.start(request, to: listener)
    }

    func listenerIsWaitedFor(_ listener: HTTPListener) -> Bool {
        self.requests.values.contains { $0.kind == .request }
    }

    func listenerBegan(_ listener: HTTPListener, _ head: HTTPResponseHead) {
        self.took(head)
        guard let tokens = self.carrier.tokens else { return }
        if head.status.code == 200 { return tokens.accepted(generation: listener.generation) }
        guard head.status.code == 401 else { return }
        // Where messages are taken with the same token, it is not the token that the server minds.
        let isTaken = listener.generation != nil && listener.generation == self.acceptedGeneration
        guard listener.hasWorked || !isTaken else { return }
        switch tokens.refused(generation: listener.generation, BearerChallenge(head.headers["WWW-Authenticate"])) {
        // With another one it is asked for again: then, or when a request is sent.
        case .again, .wait: tokens.whenSettled { [weak listener] in listener?.wanted() }
        case .refuse: break
        }
    }

    var tokenGeneration: Int? { self.carrier.nextGeneration }

    func listenerSpoke(_ listener: HTTPListener) { self.delegate?.connectionSpoke(self) }

    func listener(_ listener: HTTPListener, said message: JSONText) {
        guard message.kind == .array else { return self.hear(message) }
        message.elements { self.hear(message[$0]) }
    }

    private func hear(_ message: JSONText) {
        guard case .open = self.state else { return }
        let match = AnswerMatch.match(message, to: nil) { self.requests[$0] != nil }
        let post = match.answered.flatMap { self.requests.removeValue(forKey: $0) }
        // It may be any of those that are under way that asks.
        if match.asks { for each in self.requests.values where each.mayHaveRun { each.hasAsked() } }
        self.delegate?.connection(self, received: message, answering: match.answered)
        post?.answered()
    }

    func listener(_ listener: HTTPListener, saidUnreadable bytes: ByteBuffer, reason: String) {
        let words = ByteBuffer(string: self.words.quoted(bytes))
        self.delegate?.connection(self, couldNotRead: Unreadable(bytes: words, reason: reason), answering: nil)
    }

    func listenerBroke(_ listener: HTTPListener, _ failure: HTTPFailure?) {
        guard case .open = self.state else { return }
        self.loseElsewhere(failure?.description ?? "it ended")
        // Nobody listens there any more, and nothing is under way that could tell more.
        if let failure, failure.isUnreachable, !self.requests.values.contains(where: \.mayHaveRun) {
            self.lose(.unreachable(failure.description))
        }
    }

    func listenerLostSession(_ listener: HTTPListener) {
        guard case .open = self.state else { return }
        switch self.session.refused(inSession: self.session.number) {
        case .again: break
        case .lost: self.lostSession("404 on its stream", isRevision: false)
        case .hopeless: self.lose(.unreachable("its sessions are lost as soon as they are opened"))
        }
    }
}
