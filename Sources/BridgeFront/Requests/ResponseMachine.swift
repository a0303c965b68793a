import BridgeLink

/// Decides what becomes of one request on the front's own path, from its exchange with the session worker to the end of its
/// answer.
///
/// Pure: it opens nothing and writes nothing. Whoever owns it reports what happened and does what comes back. Once the
/// request is over, nothing comes back any more.
struct ResponseMachine: ~Copyable {
    /// What differs from one kind of request to another.
    struct Rules: Equatable, Sendable {
        /// What was asked for is done, whether its client waits for it or not.
        var outlivesClient = false
        /// The exchange would not end by itself: it ends when the service stops.
        var endsOnDrain = false
        /// It may be handed to a second worker when the first died with it.
        var mayBeRepeated = true
        /// Its stream goes on when the session worker is lost: the next one is asked for what comes.
        var outlivesWorker = false
    }

    private enum State {
        /// Nothing has been written. May become any other.
        case waiting
        /// Answered with one body. Over.
        case plain
        /// Events are being written. May become `ended`.
        case streaming
        /// Its stream has ended, it was refused, or nobody waits for it any more. Over.
        case ended
    }

    var rules: Rules
    private var state = State.waiting
    private var wasRepeated = false
    private var wasUnknown = false
    /// A worker that may have had it is gone. From then on nobody is told that it did not run.
    private var mayHaveRun = false

    init(_ rules: Rules = Rules()) { self.rules = rules }

    var isOver: Bool {
        switch self.state {
        case .plain, .ended: true
        case .waiting, .streaming: false
        }
    }

    // MARK: The session worker

    enum Message: Equatable { case beginStream, event, none }

    /// A message that is not the last.
    mutating func message() -> Message {
        switch self.state {
        case .waiting:
            self.state = .streaming
            return .beginStream
        case .streaming: return .event
        case .plain, .ended: return .none
        }
    }

    enum End: Equatable { case answer, endStream, none }

    /// The exchange is over, and this was its last message.
    mutating func ended() -> End {
        switch self.state {
        case .waiting:
            self.state = .plain
            return .answer
        case .streaming:
            self.state = .ended
            return .endStream
        case .plain, .ended: return .none
        }
    }

    enum Failure: Equatable {
        case askAgain
        case refuse(Reason)
        /// What the stream still owes is told that its outcome is not known; then it ends.
        case endStream
        case none
    }

    /// Why there is no answer from the session worker.
    enum Reason: Equatable { case outcomeUnknown, unavailable, overloaded, noMemory, cancelled }

    /// The exchange is over, without a last message.
    mutating func failed(_ failure: ExchangeFailure) -> Failure {
        switch self.state {
        case .waiting: return self.lost(failure)
        case .streaming:
            if self.rules.outlivesWorker, case .linkLost = failure { return .askAgain }
            self.state = .ended
            return .endStream
        case .plain, .ended: return .none
        }
    }

    private mutating func lost(_ failure: ExchangeFailure) -> Failure {
        switch failure {
        case .linkLost(let sent):
            if sent { self.mayHaveRun = true }
            guard !sent || self.rules.mayBeRepeated, !self.wasRepeated else { return self.refuse(.unavailable) }
            self.wasRepeated = true
            return .askAgain
        case .overloaded, .cancelled(reason: ExchangeFailure.tooMany): return self.refuse(.overloaded)
        case .cancelled(reason: ExchangeFailure.noMemory): return self.refuse(.noMemory)
        case .cancelled:
            self.state = .ended
            return .refuse(.cancelled)
        }
    }

    /// - Parameter reason: says that the request has not run.
    private mutating func refuse(_ reason: Reason) -> Failure {
        self.state = .ended
        return .refuse(self.mayHaveRun ? .outcomeUnknown : reason)
    }

    /// The exchange is over: the session worker did not know the number by which it was told who asks. Nothing has run, so it
    /// is asked again in full, once, whatever the request is.
    mutating func unknownBinding() -> Failure {
        switch self.state {
        case .waiting:
            guard !self.wasUnknown else { return self.refuse(.cancelled) }
            self.wasUnknown = true
            return .askAgain
        case .streaming:
            self.state = .ended
            return .endStream
        case .plain, .ended: return .none
        }
    }

    /// There has been no session worker for as long as a request waits for one. The exchange is to be cancelled.
    mutating func noWorker() -> Failure {
        switch self.state {
        case .waiting: self.refuse(.unavailable)
        case .streaming, .plain, .ended: .none
        }
    }

    // MARK: The front

    /// It is refused before it has been handed on.
    ///
    /// - Returns: whether the refusal is to be written.
    mutating func refused() -> Bool {
        guard case .waiting = self.state else { return false }
        self.state = .ended
        return true
    }

    /// Its stream ends for a reason of its own. The exchange is to be cancelled.
    mutating func end() { self.state = .ended }

    enum Over: Equatable {
        /// It is refused: nothing has been said.
        case refuse
        /// What the stream still owes is told so; then it ends.
        case endStream
        case none
    }

    /// Whoever asked may not any more. The exchange is to be cancelled.
    mutating func forbidden() -> Over {
        switch self.state {
        case .waiting:
            self.state = .ended
            return .refuse
        case .streaming:
            self.state = .ended
            return .endStream
        case .plain, .ended: return .none
        }
    }

    enum Drain: Equatable {
        /// Nothing has been said yet. It is answered all the same with a stream that ends as that of the others does: clients
        /// come back from it, and some never from an error.
        case beginAndEndStream
        /// The client is asked to come again, and its stream ends.
        case endStream
        case none
    }

    /// The service stops. Unless it is `none`, the exchange is to be cancelled.
    mutating func drained() -> Drain {
        guard self.rules.endsOnDrain else { return .none }
        switch self.state {
        case .waiting:
            self.state = .ended
            return .beginAndEndStream
        case .streaming:
            self.state = .ended
            return .endStream
        case .plain, .ended: return .none
        }
    }

    /// Whether a comment is due, when nothing was said for long.
    var wantsKeepAlive: Bool {
        if case .streaming = self.state { true } else { false }
    }

    // MARK: The client

    enum Gone: Equatable {
        /// The exchange is ended: what was asked for is done all the same.
        case letGo
        case cancel
        case none
    }

    /// Nobody reads what is written from now on.
    mutating func clientGone() -> Gone {
        switch self.state {
        case .waiting, .streaming:
            self.state = .ended
            return self.rules.outlivesClient ? .letGo : .cancel
        case .plain, .ended: return .none
        }
    }

    /// Whether messages that were written count as read, now that the connection takes more.
    var acknowledges: Bool {
        if case .streaming = self.state { true } else { false }
    }
}
