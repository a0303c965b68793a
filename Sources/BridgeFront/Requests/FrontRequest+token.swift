import BridgeCore

// MARK: What a token that was shown is good for

extension FrontRequest {
    /// Passes on what has been read, if the token's limits let it through. It may have to wait until it is written down that
    /// they do.
    ///
    /// - Parameter arrival: when it came, in microseconds since 1970: what was taken for it then is its, however long that takes.
    func passOnWithinLimits(arrival: Int64 = WallClock.microseconds()) {
        guard let token = self.verdict.token, let body, body.hasRequests, self.state.limits.counts(token) else {
            return self.passOn()
        }
        switch self.state.limits.admit(body.requestIDs.count, token, arrival: arrival) {
        case .granted: self.passOn()
        case .refused(let refusal): self.refuse(refusal, body)
        case .waits(let turn):
            turn.wait { [weak self] in
                guard let self, !self.machine.isOver else { return }
                self.state.clock.refresh()
                self.passOnWithinLimits(arrival: arrival)
            }
        }
    }

    /// It is not passed on. A client of HTTP+SSE is told on its stream, as of any answer: there are some that take another
    /// status than 202 for the end of all they have to say.
    func refuse(_ refusal: Refusal, _ body: PostBody) {
        guard self.machine.refused() else { return }
        if let session, !session.isOver {
            for id in body.requestIDs { session.send(self.endpoint.refusal(refusal, id.bytes)) }
            self.state.metrics.refuse(refusal.code)
            self.sendAccepted()
            self.release()
            return self.record(202, failure: refusal.code)
        }
        let isInSession = self.verdict.fields.sessionID != nil
        self.tell(isInSession ? refusal.withinSession : refusal, isOfEach: true)
    }

    /// The token has been revoked, or has expired. Nobody is told anything more in its name.
    func tokenIsOver() {
        let mayHaveRun = self.operation == .post && self.exchange != nil
        switch self.machine.forbidden() {
        case .refuse:
            self.cancel("token is over")
            self.tell(mayHaveRun ? .tokenIsOver : .tokenNotGood, isRecorded: mayHaveRun)
        case .endStream:
            self.cancel("token is over")
            if self.operation == .post { self.stream?.writeOwed(self.endpoint, .tokenIsOver) }
            self.endStream(failure: Fault.invalidToken.word)
        case .none: break
        }
    }
}
