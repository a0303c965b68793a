import BridgeCore
import BridgeLink
import NIOCore

// MARK: The stream of a session of HTTP+SSE

extension FrontRequest {
    /// The session worker says by which id it knows the session. The first time that is the beginning of the session, and the
    /// client's first event says where to send messages.
    func isKnown(as sealed: String) {
        if let session { return session.isKnown(as: sealed) }
        let session = self.state.streamed.open(sealed, on: self, self.state.bindings)
        self.session = session
        self.stream?.write(endpoint: self.state.endpoints.messages(of: session.id, below: self.proxyPrefix))
    }

    /// Where a proxy that is believed says that it has us.
    private var proxyPrefix: String? {
        guard let text = self.verdict.fields.forwardedPrefix,
            case .tcp(let remote?, _) = self.connection.caller.way,
            self.state.trustedProxies.contains(where: { $0.contains(remote) })
        else { return nil }
        return StreamedPaths.prefix(text)
    }

    /// Writes one message that belongs to another request, or to none.
    func send(_ message: ByteBuffer) { self.append(SessionEvent(), message, isCounted: false) }

    /// There is a session worker again.
    func linkConnected() {
        if self.exchange == nil, !self.machine.isOver { self.open() }
    }

    /// The session worker says that the session is over.
    func endSession(failure: String?) {
        self.cancel("session ended")
        self.machine.end()
        self.endStream(failure: failure)
    }
}

// MARK: Messages, which are accepted and answered on that stream

extension FrontRequest {
    /// Whose session it is in, before its body is read.
    ///
    /// - Returns: why it is not served.
    func findSession() -> Refusal? {
        guard let id = self.verdict.streamedSession else { return .sessionIDMissing }
        self.session = self.state.streamed.find(id, principal: self.verdict.principal)
        let token = self.verdict.token
        self.session?.isAllowed(token?.scope, token?.concurrency)
        return self.session == nil ? .unknownSession : nil
    }

    /// All of it has arrived, and it is a message, or several.
    func post(_ body: PostBody) {
        guard let session, !session.isOver else { return self.refusePost(.unknownSession) }
        if !body.requestIDs.isEmpty {
            if self.state.table.isDraining { return self.refuse(.draining, body) }
            if !session.hasRoom { return self.refuse(.overloadedSession, body) }
        }
        self.machine.rules.outlivesClient = false
        session.add(self)
        self.isPosted = true
        self.open()
        self.sendAccepted()
    }

    /// All of it has arrived, and it is none, but shows whom to tell. The client's session goes on, so it is told as any other
    /// answer is.
    ///
    /// - Returns: false where the session is over.
    func post(_ failure: PostRefusal, _ id: ByteBuffer) -> Bool {
        guard let session, !session.isOver, self.machine.refused() else { return false }
        session.send(self.endpoint.refusal(failure.refusal, id))
        self.state.metrics.refuse(failure.refusal.code)
        self.sendAccepted()
        self.recordRefusal(202, failure.refusal)
        return true
    }

    private func refusePost(_ refusal: Refusal) {
        if self.machine.refused() { self.tell(refusal, isRecorded: false) }
    }

    func sendAccepted() {
        self.count(202)
        var head = ResponseHead(202, .bare(length: 0))
        head.origin = self.page
        head.access = self.state.limits.fields(for: self.verdict.token)
        self.connection.answer(head, nil)
    }

    /// It is answered with one message, with an error for all that is in it, or with nothing.
    func answerPosted(_ end: SessionEnd, _ payload: ByteBuffer?) {
        if let sealed = end.sessionID { self.session?.isKnown(as: sealed) }
        self.responseBytes += payload?.readableBytes ?? 0
        if end.status < 400 {
            if let payload { self.session?.send(payload) }
        } else if let error = payload.flatMap({ JSONText(trusting: $0).value("error") }) {
            for id in self.body?.requestIDs ?? [] { self.session?.send(RPCReply.error(id: id.bytes, error)) }
        }
        let session = self.session
        self.isDone(failure: end.failure)
        if end.status == Refusal.unknownSession.status { session?.end(failure: Refusal.unknownSession.code) }
    }

    /// Whoever waits for an answer is told this instead.
    func tellPosted(_ refusal: Refusal, _ ids: [RPCID]) {
        if refusal.told.fault != .outcomeUnknown { self.state.metrics.refuse(refusal.code) }
        for id in ids { self.session?.send(self.endpoint.refusal(refusal, id.bytes)) }
        self.isDone(failure: refusal.code)
    }

    /// One message of several.
    func appendPosted(_ payload: ByteBuffer?, isLast: Bool) {
        guard let payload else { return }
        self.stream?.note(payload)
        self.session?.send(payload)
        guard !isLast else { return }
        self.stream?.owesAcknowledgement(payload.readableBytes)
        if self.session?.isRead == true { self.acknowledge() }
    }

    func isDone(failure: String?) {
        self.stream = nil
        self.release()
        self.record(202, failure: failure)
        self.session?.remove(self)
    }

    /// Nobody can be told any more what comes of it.
    func streamEnded() {
        guard self.machine.clientGone() != .none else { return }
        self.state.clock.refresh()
        self.cancel("stream ended")
        self.isDone(failure: Self.gone)
    }
}
