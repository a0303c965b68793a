import BridgeLink

/// Decides what becomes of one request to a model, from its arrival to the end of its answer.
///
/// Pure: it opens nothing and writes nothing. Whoever owns it reports what happened and does what comes back. Once the request
/// is over, nothing comes back any more: each has one answer.
struct ChatMachine: ~Copyable {
    private enum State {
        /// Nothing has been written. May become any other.
        case waiting
        /// The head of a stream has been written. May become `over`.
        case streaming
        case over
    }

    private var state = State.waiting
    /// A source has been asked by the exchange that is open.
    private var isAsked = false
    /// A source has been asked, ever: to ask again may mean to ask its user again.
    private(set) var wasAsked = false
    private var wasRepeated = false
    private var wasRepaired = false

    var isOver: Bool {
        switch self.state {
        case .over: true
        case .waiting, .streaming: false
        }
    }

    enum Telling: Equatable {
        /// With a head of its own.
        case whole
        /// In the stream that has begun.
        case inStream
        case nothing
    }

    /// There is an answer, or an error. It is the last word.
    mutating func finish() -> Telling {
        defer { self.state = .over }
        switch self.state {
        case .waiting: return .whole
        case .streaming: return .inStream
        case .over: return .nothing
        }
    }

    /// The session worker says that it asks a source now.
    mutating func asked() {
        self.isAsked = true
        self.wasAsked = true
    }

    enum Loss: Equatable {
        case askAgain
        /// Nobody has been asked.
        case unavailable
        case sourceLost
        case overloaded, noMemory, tooLarge, cancelled
        case nothing
    }

    /// The exchange with the session worker is over, without an end. That it has not said that it asks means that nobody was
    /// asked: then it is asked once more, as often as once.
    mutating func failed(_ failure: ExchangeFailure) -> Loss {
        if case .over = self.state { return .nothing }
        switch failure {
        case .linkLost:
            if self.isAsked { return .sourceLost }
            guard !self.wasRepeated else { return .unavailable }
            self.wasRepeated = true
            return .askAgain
        case .overloaded, .cancelled(reason: ExchangeFailure.tooMany): return .overloaded
        case .cancelled(reason: ExchangeFailure.noMemory): return .noMemory
        case .cancelled(reason: ExchangeFailure.tooLarge): return .tooLarge
        case .cancelled: return .cancelled
        }
    }

    /// The answer is not what was asked for.
    ///
    /// - Returns: whether the source is asked to mend it. It is asked once.
    mutating func repairs() -> Bool {
        if case .over = self.state { return false }
        guard !self.wasRepaired else { return false }
        self.wasRepaired = true
        self.isAsked = false
        return true
    }

    /// A streamed answer has been waited for long enough: an error cannot have a status of its own any more.
    ///
    /// - Returns: whether the stream begins.
    mutating func beginsStream() -> Bool {
        guard case .waiting = self.state else { return false }
        self.state = .streaming
        return true
    }

    var isStreaming: Bool {
        if case .streaming = self.state { true } else { false }
    }

    /// Nobody reads what is written from now on.
    ///
    /// - Returns: whether somebody has to be told to stop.
    mutating func clientGone() -> Bool {
        if case .over = self.state { return false }
        self.state = .over
        return true
    }
}
