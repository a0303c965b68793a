import BridgeCore
import BridgeLink
import NIOCore

// MARK: What the session worker says

extension FrontRequest: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        self.state.clock.refresh()
        self.takenUp()
        let event = SessionEvent(header) ?? SessionEvent()
        if event.isEndless { self.machine.rules.endsOnDrain = true }
        switch self.machine.message() {
        case .beginStream:
            self.beginStream()
            self.append(event, payload)
        case .event: self.append(event, payload)
        case .none: break
        }
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.state.clock.refresh()
        self.exchange = nil
        if self.isUnknown(header) { return self.openInFull(payload) }
        switch self.machine.ended() {
        case .answer: self.answer(header, payload)
        case .endStream:
            let end = SessionEnd(header)
            // That a session is unknown is nothing that its stream could tell anybody.
            if payload != nil, self.operation != .sse {
                self.append(SessionEvent(eventID: end?.eventID), payload, isLast: true)
            }
            self.endStream(failure: end?.failure)
        case .none: break
        }
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        self.state.clock.refresh()
        self.exchange = nil
        self.failed(self.machine.failed(failure)) { self.openAgain(exchange) }
    }

    /// What the machine says there is instead of an end.
    func failed(_ failure: ResponseMachine.Failure, askAgain: () -> Void) {
        switch failure {
        case .askAgain:
            self.state.metrics.retriedRequests += 1
            askAgain()
        case .refuse(let reason): self.tell(reason)
        case .endStream:
            if self.isPosted { return self.tellPosted(.outcomeUnknown, self.stream?.owed ?? []) }
            self.stream?.writeOwed(self.endpoint)
            self.endStream(failure: Refusal.outcomeUnknown.code)
        case .none: break
        }
    }

    /// In a later turn: the link that was lost is still being taken apart.
    private func openAgain(_ lost: Exchange) {
        let unsent = lost.takePayload()
        if let bytes = unsent.bytes { self.payload = CollectedBody(bytes: bytes, hold: unsent.hold) }
        // What came by the exchange that is lost is nothing to acknowledge to the next one.
        _ = self.stream?.takeUnacknowledged()
        self.state.loop.assumeIsolated().execute {
            guard !self.machine.isOver, self.exchange == nil else { return }
            // A stream that goes on waits for the link by itself, not among those that are let in as long as there is room.
            if self.stream == nil || self.state.session.isConnected { self.open() }
        }
    }

    private func answer(_ header: JSONText, _ payload: ByteBuffer?) {
        let end = header.bytes == SessionEnd.answered.bytes ? SessionEnd(200) : SessionEnd(header) ?? SessionEnd(500)
        if self.isPosted {
            if end.status < 300 { self.takenUp() }
            return self.answerPosted(end, payload)
        }
        let status = (200...599).contains(end.status) ? end.status : 500
        if status < 300 { self.takenUp() }
        let without = status == 200 ? ResponseHead.Content.noEvents : .bare(length: 0)
        var head = ResponseHead(status, payload.map { .json(length: $0.readableBytes) } ?? without)
        head.sessionID = end.sessionID
        self.finish(head, payload)
        self.record(status, failure: end.failure)
    }
}

// MARK: What becomes of the connection

extension FrontRequest {
    func clientGone() {
        switch self.machine.clientGone() {
        case .letGo:
            // "Disconnection SHOULD NOT be interpreted as the client cancelling its request" (basic/transports).
            self.exchange?.end(header: .emptyObject)
        case .cancel where self.operation == .get && self.stream != nil:
            self.exchange?.end(header: StreamLeft(self.left).text)
        case .cancel: self.cancel("client gone")
        case .none: return
        }
        self.uncount()
        if self.stream != nil {
            self.state.metrics.openStreams -= 1
            self.stream = nil
            self.record(200, failure: self.body == nil ? nil : Self.gone)
        } else if self.exchange != nil || self.operation != .post || self.body != nil {
            // Whatever it waited for: its turn among those that are counted, or an answer.
            self.record(Self.clientClosed, failure: Self.gone)
        }
        self.release()
        if self.operation == .sse { self.session?.streamEnded() }
    }

    func connectionDrains() {
        if self.operation == .sse {
            guard let session else { return self.refuseToStream() }
            // Its requests are finished first: it is the only way to tell their answers.
            guard session.drain() else { return }
        }
        switch self.machine.drained() {
        case .beginAndEndStream:
            self.cancel("draining")
            self.beginStream()
            self.stream?.writeRetry()
            self.endStream()
        case .endStream:
            self.cancel("draining")
            self.stream?.writeRetry()
            self.endStream()
        case .none: break
        }
    }

    func connectionBecameWritable() {
        guard self.machine.acknowledges else { return }
        if self.operation == .sse { self.flush() } else { self.acknowledge() }
    }

    /// The service stops, and the stream has not begun.
    private func refuseToStream() {
        guard self.machine.refused() else { return }
        self.cancel("draining")
        self.tell(.draining, isRecorded: false)
    }

    /// nginx's word for a client that did not wait; it is logged and never sent.
    static let clientClosed = 499
    static let gone = "client_gone"
}

// MARK: Answers with one body

extension FrontRequest {
    /// What the machine says there is instead of an answer.
    func tell(_ reason: ResponseMachine.Reason) {
        if reason == .outcomeUnknown { self.state.metrics.unknownOutcomes += 1 }
        self.tell(Refusal(reason))
    }

    /// - Parameters:
    ///   - isRecorded: whether the log has a record of it, as of every request that was handed on; else only where its token
    ///     asks for one.
    ///   - isOfEach: whether it is told of each request in the body.
    func tell(_ refusal: Refusal, id: ByteBuffer? = nil, isRecorded: Bool = true, isOfEach: Bool = false) {
        if self.isPosted { return self.tellPosted(refusal, self.body?.requestIDs ?? []) }
        let isLost = refusal.told.fault == .outcomeUnknown
        let bytes =
            isLost || isOfEach
            ? self.endpoint.refusalOfEach(refusal, self.body)
            : self.endpoint.refusal(refusal, id ?? self.answeredID)
        if !isLost || self.body == nil {
            self.state.metrics.refuse(refusal.code)
            self.abandonBody()
        }
        self.finish(ResponseHead(refusal, length: bytes.readableBytes), bytes)
        if isRecorded {
            self.record(refusal.status, failure: refusal.code)
        } else {
            self.recordRefusal(refusal.status, refusal)
        }
    }

    private func finish(_ head: ResponseHead, _ body: ByteBuffer?) {
        var head = head
        head.origin = self.page
        self.responseBytes += body?.readableBytes ?? 0
        head.access = self.state.limits.fields(for: self.verdict.token)
        self.count(head.status)
        self.release()
        self.connection.answer(head, body)
    }
}
