import BridgeChat
import BridgeCore
import BridgeLink
import NIOCore

// MARK: Who answers

extension ChatCall {
    /// Asks whoever answers this token.
    func ask() {
        if self.token?.isSandboxed == true { return self.askSandbox() }
        do throws(ChatFault) {
            let params = try SamplingParams(neutral: self.request)
            self.request.remarks.add(params.remarks)
            self.inquiry = self.makeInquiry(needs: SamplingParams.needs(of: self.request))
            self.payload = (params.text.bytes, self.hold)
        } catch {
            return self.tell(error)
        }
        // What has been said is kept here no longer than it may have to be said again.
        if self.request.format == .text {
            self.request.forgetTurns()
            self.hold = nil
        }
        self.open()
        self.keepAlive()
    }

    private func makeInquiry(needs: ChatNeeds) -> ChatAsk {
        ChatAsk(
            requestID: self.requestID, principal: self.verdict.principal, model: ModelNames.known(self.request.model),
            maximumTokens: self.request.maximumTokens, needs: needs)
    }

    func open() {
        guard var inquiry else { return }
        if self.isOverdue { return self.tell(self.lateness) }
        inquiry.timeout = self.timeLeft.map { max(1, Int($0.nanoseconds / 1_000_000)) }
        self.exchange = self.state.session.open(
            header: ChatOpening.ask(inquiry).text, payload: self.payload?.bytes, hold: self.payload?.hold,
            delegate: self)
        if !self.state.session.isConnected { self.waitForWorker() }
    }

    /// A worker that has the request may take its time; one that is not there may not.
    private func waitForWorker() {
        self.workerTimer?.cancel()
        self.workerTimer = self.state.loop.assumeIsolated().scheduleTask(in: self.state.sessionWait) {
            guard !self.state.session.isConnected, !self.machine.isOver else { return }
            self.state.clock.refresh()
            self.cancel("no session worker")
            self.lost(.unavailable)
        }
    }

    private func askSandbox() {
        let said = Sandbox.answer(to: self.request)
        guard let delay = said.delay else { return self.sandboxSaid(said.outcome) }
        self.keepAlive()
        self.sandboxTimer = self.state.loop.assumeIsolated().scheduleTask(in: delay) {
            self.state.clock.refresh()
            self.sandboxSaid(said.outcome)
        }
    }

    private func sandboxSaid(_ outcome: Result<ChatAnswer, ChatFault>) {
        switch outcome {
        case .success(let answer): self.answered(answer, remarks: Sandbox.remarks(on: self.request))
        case .failure(let fault): self.tell(fault)
        }
    }
}

// MARK: What the session worker says

extension ChatCall: ExchangeDelegate {
    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {
        guard case .asked = ChatNote(header) else { return }
        self.machine.asked()
        self.payload = nil
    }

    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) {
        self.state.clock.refresh()
        self.exchange = nil
        guard !self.machine.isOver else { return }
        if case .models = self.target { return self.modelsArrived(header, payload) }
        if case .model = self.target { return self.modelsArrived(header, payload) }
        switch ChatEnd(header) {
        case .answered(let remarks): self.sourceAnswered(payload, ChatRemarks(remarks))
        case .failed(let failure): self.tell(ChatFault(failure))
        case nil: self.tell(ChatFault(.internal, "Internal server error"))
        }
    }

    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) {
        self.state.clock.refresh()
        self.exchange = nil
        if !self.target.isPosted { return self.modelsArrived(nil, nil) }
        self.lost(self.machine.failed(failure))
    }

    private func sourceAnswered(_ payload: ByteBuffer?, _ remarks: ChatRemarks) {
        do throws(ChatFault) {
            let result: JSONText
            do {
                result = try JSONText(validating: payload ?? ByteBuffer())
            } catch {
                throw ChatFault(.badAnswer, "The source's answer is not JSON", sourceWasAsked: true)
            }
            self.answered(try SamplingResult.read(result), remarks: remarks)
        } catch {
            self.tell(error)
        }
    }

    private func lost(_ loss: ChatMachine.Loss) {
        let wasAsked = self.machine.wasAsked
        switch loss {
        case .askAgain: self.openAgain()
        case .sourceLost:
            self.tell(
                ChatFault(
                    .sourceLost, "The session worker stopped while a source had this request; it is not asked again",
                    sourceWasAsked: true))
        case .unavailable: self.tell(ChatFault(.overloaded, Refusal.sessionUnavailable.message))
        case .overloaded: self.tell(ChatFault(.overloaded, Refusal.overloaded.message))
        case .noMemory: self.tell(ChatFault(.overloaded, Refusal.overloadedWorker.message))
        case .tooLarge:
            self.tell(
                ChatFault(
                    .badAnswer, "The request, or its answer, is larger than the 64 MiB that pass between processes",
                    sourceWasAsked: wasAsked))
        case .cancelled: self.tell(ChatFault(.internal, "Internal server error", sourceWasAsked: wasAsked))
        case .nothing: break
        }
    }

    /// In a later turn: the link that was lost is still being taken apart.
    private func openAgain() {
        self.state.metrics.retriedRequests += 1
        self.state.loop.assumeIsolated().execute {
            guard !self.machine.isOver, self.exchange == nil else { return }
            self.open()
        }
    }
}

// MARK: An answer that is not what was asked for

extension ChatCall {
    /// An answer is there, from whomever.
    func answered(_ answer: ChatAnswer, remarks: ChatRemarks) {
        guard !self.machine.isOver else { return }
        let fitted = answer.fitted(to: self.request, idPrefix: self.identity.callPrefix(in: self.dialect))
        self.countAnswer(fitted.usage)
        switch self.request.format.check(fitted) {
        case .met(let answer): self.finish(answer, remarks: remarks)
        case .notMet(let problem):
            guard self.token?.isSandboxed != true, !self.isOverdue, self.machine.repairs() else {
                return self.tell(
                    ChatFault(
                        .schemaNotMet, "The model's answer is not what was asked for: \(problem)", sourceWasAsked: true)
                )
            }
            self.request.countInput()
            self.request = self.request.repaired(after: answer, because: problem)
            self.countRound(TokenEstimate.whole(of: self.request))
            self.ask()
        }
    }

    var identity: ReplyIdentity {
        ReplyIdentity(
            requestID: self.requestID, created: self.created, model: ModelNames.told(self.request, self.dialect))
    }
}
