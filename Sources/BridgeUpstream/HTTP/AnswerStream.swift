import NIOCore

/// What becomes of a request whose stream is over. Pure.
///
/// A server may close a stream and go on later: by the id of an event it is asked for the rest.
struct AnswerStream {
    enum End: Equatable {
        /// All has been said.
        case over
        /// Ask for what comes behind this event, after so long.
        case resume(after: String, in: TimeAmount)
        /// The answer may come over the stream of what the server says by itself.
        case elsewhere
        /// There will be no answer.
        case lost
    }

    /// So often in a row the rest is asked for, and nothing new comes.
    static let mostAttempts = 6
    static let firstDelay = TimeAmount.seconds(1)
    /// However soon a server wants to be asked again.
    static let shortestDelay = TimeAmount.milliseconds(100)
    static let factor = 1.7

    private(set) var isAnswered = false
    private var hasSaidSomething = false
    private var lastEventID: String?
    private var retry: TimeAmount?
    private var attempts = 0
    /// For the next attempt alone.
    private var delay: TimeAmount?

    /// - Parameters:
    ///   - hasData: whether it is more than an id.
    ///   - retry: in milliseconds.
    mutating func event(hasData: Bool, id: String?, retry: Int?) {
        if hasData { self.hasSaidSomething = true }
        if let retry { self.retry = max(.milliseconds(Int64(retry)), Self.shortestDelay) }
        guard let id else { return }
        self.lastEventID = id.isEmpty ? nil : id
        self.attempts = 0
    }

    /// The server was asked for the rest and is too busy.
    ///
    /// - Parameter retryAfter: in seconds, where it says it.
    mutating func deferred(retryAfter: Int?) {
        self.delay = retryAfter.map { max(.seconds(Int64($0)), Self.firstDelay) }
    }

    mutating func answered() { self.isAnswered = true }

    /// - Parameters:
    ///   - isClean: whether the server ended it as HTTP has it.
    ///   - isListening: whether there is a stream of what the server says by itself.
    mutating func ended(isClean: Bool, isListening: Bool) -> End {
        if self.isAnswered { return .over }
        if let id = self.lastEventID {
            guard self.attempts < Self.mostAttempts else { return .lost }
            var delay = Self.firstDelay
            for _ in 0..<self.attempts { delay = .nanoseconds(Int64(Double(delay.nanoseconds) * Self.factor)) }
            self.attempts += 1
            defer { self.delay = nil }
            return .resume(after: id, in: self.delay ?? self.retry ?? delay)
        }
        return isClean && isListening && !self.hasSaidSomething ? .elsewhere : .lost
    }
}
