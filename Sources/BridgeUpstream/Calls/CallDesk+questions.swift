import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

// What a server asks in the middle of a call, and who waits for that.

extension CallDesk {
    /// Whether somebody is being asked: then the server's silence says nothing.
    var isAsking: Bool { !self.questions.isEmpty }

    /// Whether calls run one at a time, as the server may ask.
    var takesTurns: Bool { self.questions.takesTurns }

    /// What somebody is being asked, in whose call, and since when.
    var openQuestion: (method: String, whose: String, asked: NIODeadline)? {
        guard let oldest = self.questions.oldest, let call = self.pending.caller(oldest.call) else { return nil }
        return (oldest.method, call.whose, oldest.asked)
    }

    /// The server asks something that only a client can answer.
    ///
    /// - Parameter request: the call on whose stream it came, where the transport tells that.
    /// - Returns: whether that is asked, or what is to be said in the client's place.
    func asked(_ question: RPCMessage, _ id: ByteBuffer, in request: Int?, now: NIODeadline) -> Questions.Verdict {
        let deadline = now + self.timeouts.question.timeAmount
        let hadAsked = self.questions.hasAsked
        let method = question.method ?? ""
        let task = TaskMessages.related(question.text) ?? request.flatMap { self.pending.caller($0)?.taskID }
        let verdict =
            if let task {
                self.questions.asked(
                    id, method, forTaskOf: self.waits(for: task, on: request), now: now, deadline: deadline)
            } else if let request {
                self.questions.asked(
                    id, method, in: request, isAskable: self.pending.isAskable(request), now: now, deadline: deadline)
            } else {
                self.questions.asked(
                    id, method, only: self.asker.map { ($0.id, $0.caller.whose) }, isAskable: self.pending.isAskable,
                    now: now, deadline: deadline)
            }
        if !hadAsked, self.questions.hasAsked { self.delegate?.deskHeardItAsks(self) }
        guard case .ask(let call, let number) = verdict else { return verdict }
        if question.task != nil { self.questions.wantsTask(number) }
        // Its own limit is the question's, and a little more, so that the question ends first.
        self.pending.pause(call, until: deadline + .seconds(1), now: now)?.ask(question, number: number)
        if task == nil, request == nil, self.questions.isOneClients {
            // It may be another of them that asks.
            for each in self.pending.written { self.pending.pause(each, until: deadline + .seconds(1), now: now) }
        }
        self.delegate?.deskAsks(self)
        return verdict
    }

    /// The call that has asked, where that is known.
    private var asker: (id: Int, caller: UpstreamCall)? {
        guard self.questions.isOneClients else { return self.pending.onlyInTurn }
        return self.pending.likelyAsker(isAsking: self.questions.isAsking)
    }

    /// The server is known to ask, from an earlier life.
    func isKnownToAsk() { if self.questions.isKnownToAsk() { self.delegate?.deskHeardItAsks(self) } }

    /// The server takes a question of its own back (basic/utilities/cancellation).
    func withdrawn(_ id: ByteBuffer, now: NIODeadline) {
        guard let (number, call) = self.questions.withdrawn(id) else { return }
        self.pending.caller(call)?.withdraw(number)
        self.goOn(call, now: now)
    }

    /// The server has forgotten what it has asked, and the tasks that it was given for that: nobody is to answer any more.
    func withdrawQuestions(now: NIODeadline) {
        self.askedTasks = AskedTasks()
        for (number, question) in self.questions.forgotten() {
            self.pending.caller(question.call)?.withdraw(number)
            self.goOn(question.call, now: now)
        }
    }

    /// Answers what nobody has answered in time.
    func expireQuestions(now: NIODeadline) {
        for (number, question) in self.questions.expire(now: now) {
            self.pending.caller(question.call)?.withdraw(number)
            let limit = "within \(self.timeouts.question.words) (timeouts.question)"
            self.delegate?.desk(self, says: QuestionReply.unanswered(question, limit))
            self.goOn(question.call, now: now)
        }
    }

    /// A question of this call is open no more.
    func goOn(_ call: Int, now: NIODeadline) {
        let isAsked = self.questions.isAsking(call) || self.askedTasks.isUnderWay(for: call, now: now)
        if !isAsked { self.clocksGoOn(behind: call, now: now) }
        self.delegate?.deskAsks(self)
    }

    /// A call asks nothing any more, or is over.
    func clocksGoOn(behind call: Int, now: NIODeadline) {
        guard self.questions.isOneClients else { return self.pending.goOn(call, now: now) }
        guard self.questions.isEmpty, !self.askedTasks.isUnderWay(now: now) else { return }
        for each in self.pending.written { self.pending.goOn(each, now: now) }
    }

    // MARK: Turns

    /// When a call has waited long enough behind the open question, if any does.
    var nextTurnDeadline: NIODeadline? {
        guard let asked = self.questions.turnHeldSince, let arrived = self.pending.oldestWaiting else {
            return nil
        }
        return max(asked, arrived) + self.timeouts.turn.timeAmount
    }

    /// Calls that have waited long enough behind an open question are told what they wait for.
    func expireTurns(now: NIODeadline) {
        guard let deadline = self.nextTurnDeadline, deadline <= now, let question = self.questions.oldestInTurn
        else { return }
        let fault = self.faults.busy(
            with: question.method, since: now - question.asked, limit: self.timeouts.turn.words)
        for call in self.pending.giveUpWaiting(since: now - self.timeouts.turn.timeAmount) {
            self.finish(call.caller, fault)
        }
    }
}

extension CallDesk {
    func callAnswered(_ call: UpstreamCall, _ answer: QuestionAnswer, _ payload: ByteBuffer?) {
        guard let number = answer.number else { return self.callNoted(call, payload ?? ByteBuffer(string: "{}")) }
        guard let question = self.questions.answered(number, by: call.id) else { return }
        if let payload { self.heard(payload, to: question) }
        let message =
            switch answer {
            case .answered:
                payload.flatMap {
                    QuestionReply.answer($0, id: question.id, to: question.method, in: self.revision)
                }
            case .gone: QuestionReply.unanswered(question, "and is gone")
            case .declined, .note: self.delegate?.desk(self, declines: question)
            }
        self.delegate?.desk(self, says: message ?? QuestionReply.declined(question))
        self.goOn(question.call, now: .now())
    }
}
