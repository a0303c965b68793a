import BridgeChat
import BridgeConfiguration
import BridgeCore
import NIOCore

// MARK: What the token's limits let through

extension ChatCall {
    /// Goes on if the token's limits let it through. It may have to wait until it is written down that they do.
    ///
    /// - Parameters:
    ///   - arrival: when it came, in microseconds since 1970: what was taken for it then is its, however long that takes.
    ///   - pass: what comes next.
    func passWithinLimits(arrival: Int64 = WallClock.microseconds(), _ pass: @escaping (ChatCall) -> Void) {
        let usage = self.target.isPosted && self.token?.tokenBudget != nil ? TokenEstimate.input(of: self.request) : 0
        guard let token, self.state.limits.counts(token, usage: usage) else { return pass(self) }
        switch self.state.limits.admit(1, token, usage: usage, arrival: arrival) {
        case .granted: pass(self)
        case .refused(let refusal): self.tell(refusal)
        case .waits(let turn):
            turn.wait { [weak self] in
                guard let self, !self.machine.isOver else { return }
                self.state.clock.refresh()
                self.passWithinLimits(arrival: arrival, pass)
            }
        }
    }

    /// Begins when fewer of the token's requests are under way than there may be.
    func waitForTurn() {
        guard let token, let most = token.concurrency else { return self.ask() }
        let turn = self.state.chat.turn(of: token, most: most) { [weak self] in
            // In a later turn: it may be answered at once, and so may all that wait behind it.
            self?.state.loop.assumeIsolated().execute {
                guard let self, !self.machine.isOver else { return }
                self.turnTimer?.cancel()
                self.state.clock.refresh()
                self.ask()
            }
        }
        guard let turn else { return self.tell(.tooManyWaiting(limit: most)) }
        self.turn = turn.turn
        if turn.hasCome { return self.ask() }
        self.endWhenLate()
        self.keepAlive()
    }

    /// Its turn may not come in time.
    private func endWhenLate() {
        guard let timeLeft else { return }
        self.turnTimer = self.state.loop.assumeIsolated().scheduleTask(in: timeLeft) {
            self.state.clock.refresh()
            self.tell(self.lateness)
        }
    }

    /// That it has taken too long before it could be asked, or asked again.
    var lateness: ChatFault {
        let limit = self.state.configuration.chatTimeout?.words ?? ""
        if self.machine.wasAsked { return .timeout(after: limit, setting: "chat.timeout") }
        return ChatFault(
            .overloaded, "The request's turn did not come within \(limit) (chat.timeout); nobody was asked")
    }

    /// Counts tokens of models that nobody knew of when the request came: those of answers, and of what is asked besides.
    func spend(_ tokens: Int) {
        guard let token, token.tokenBudget != nil else { return }
        self.state.limits.use(tokens, of: token)
    }
}
