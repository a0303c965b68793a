import NIOCore

/// What a server has asked over one connection, and which calls that belongs to. Pure: times come in.
///
/// Over stdio nothing says whose question it is. It is plain where one call is under way; where several are, and any of
/// their clients can be asked, it is not known, and nobody is asked. From then on such calls take turns.
struct Questions {
    /// One that waits for its answer.
    struct Open: Equatable {
        /// The server's, as it was written.
        let id: ByteBuffer
        let method: String
        /// Ours, of the call that it belongs to.
        var call: Int
        let asked: NIODeadline
        let deadline: NIODeadline
        /// Whether it is asked in the name of a task. Then no call waits for its turn behind it.
        let isOfTask: Bool
        /// Whether the server wants its answer as a task (2025-11-25, basic/utilities/tasks).
        var wantsTask = false
        /// Whether another call of the same client may be the one that asks.
        var isGuess = false
    }

    enum Verdict: Equatable {
        /// It is asked, under this number, in the call's name.
        case ask(call: Int, number: Int)
        /// There is nobody who can be asked.
        case decline
        /// Several calls may have asked.
        case ambiguous
        /// Too many wait already.
        case full
    }

    /// More of one connection are not open at once.
    static let maximum = 256
    /// A call that was given up may still ask for so long: not every server stops at once.
    static let doubtTime = TimeAmount.seconds(30)
    /// More calls of that kind are not told apart.
    private static let maximumDoubts = 64

    /// What the configuration says: nil leaves it to be found out.
    var asks: Bool?
    /// Whether all calls are one client's: whichever of them asks, that client is asked.
    var isOneClients = false
    /// Whether the server has asked in the middle of a call, over this connection or an earlier one.
    private(set) var hasAsked = false
    private var open: [Int: Open] = [:]
    private var lastNumber = 0
    /// Since when others wait for their turn behind a call that asks, however often it asks.
    private var turnsHeld: [Int: NIODeadline] = [:]
    /// Calls that were given up, and may still ask.
    private var doubts: [(call: Int, whose: String, until: NIODeadline)] = []
    /// Until then there may be others that are not remembered: whoever asks may be any of them.
    private var allDoubt = NIODeadline.uptimeNanoseconds(0)

    init(asks: Bool? = nil) { self.asks = asks }

    /// Whether calls whose clients can be asked run one at a time.
    var takesTurns: Bool { !self.isOneClients && self.asks ?? self.hasAsked }
    var isEmpty: Bool { self.open.isEmpty }
    /// The one that has waited longest.
    var oldest: Open? { self.open.values.min { $0.asked < $1.asked } }
    /// The same, of those that calls wait behind.
    var oldestInTurn: Open? { self.open.values.filter { !$0.isOfTask }.min { $0.asked < $1.asked } }
    /// Since when calls wait behind the question that they wait for, and those of the same call before it.
    var turnHeldSince: NIODeadline? { self.oldestInTurn.flatMap { self.turnsHeld[$0.call] } }
    /// When ``expire(now:)`` has something to say at the earliest.
    var nextDeadline: NIODeadline? { self.open.isEmpty ? nil : self.open.values.lazy.map(\.deadline).min() }

    /// A connection begins. That the server asks is remembered.
    mutating func begin() {
        self.open = [:]
        self.turnsHeld = [:]
        self.doubts = []
        self.allDoubt = .uptimeNanoseconds(0)
    }

    /// The server has forgotten what it has asked. Takes out all of that.
    mutating func forgotten() -> [(number: Int, question: Open)] {
        defer { self.open = [:] }
        return self.open.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// The server is known to ask, from an earlier life.
    ///
    /// - Returns: whether that was new.
    mutating func isKnownToAsk() -> Bool {
        defer { self.hasAsked = true }
        return !self.hasAsked
    }

    /// Another program takes the server's place.
    mutating func replaced() { self.hasAsked = false }

    /// The server asks.
    ///
    /// - Parameters:
    ///   - call: the only one under way, if there is just one, and whose it is.
    ///   - isAskable: whether any of those under way has a client that can be asked.
    mutating func asked(
        _ id: ByteBuffer, _ method: String, only call: (id: Int, whose: String)?, isAskable: Bool,
        now: NIODeadline, deadline: NIODeadline
    ) -> Verdict {
        // Roots are what the configuration says then, and no reason to serve one at a time.
        guard isAskable, self.asks != false else {
            if method != "roots/list" { self.hasAsked = true }
            return .decline
        }
        self.hasAsked = true
        self.doubts.removeAll { $0.until <= now }
        guard let call, self.allDoubt <= now, !self.doubts.contains(where: { $0.whose != call.whose }) else {
            return .ambiguous
        }
        return self.open(
            Open(
                id: id, method: method, call: call.id, asked: now, deadline: deadline, isOfTask: false,
                isGuess: self.isOneClients))
    }

    /// The server asks on a call's own stream: it is plain whose question it is, and no reason to take turns.
    ///
    /// - Parameter isAskable: whether the call is under way, and its client can be asked.
    mutating func asked(
        _ id: ByteBuffer, _ method: String, in call: Int, isAskable: Bool, now: NIODeadline, deadline: NIODeadline
    ) -> Verdict {
        guard isAskable, self.asks != false else { return .decline }
        return self.open(Open(id: id, method: method, call: call, asked: now, deadline: deadline, isOfTask: false))
    }

    /// The server asks in the name of a task: whose question that is, is known.
    ///
    /// - Parameter call: that waits for the task, if one does whose client can be asked.
    mutating func asked(
        _ id: ByteBuffer, _ method: String, forTaskOf call: Int?, now: NIODeadline, deadline: NIODeadline
    ) -> Verdict {
        guard let call, self.asks != false else { return .decline }
        return self.open(Open(id: id, method: method, call: call, asked: now, deadline: deadline, isOfTask: true))
    }

    private mutating func open(_ question: Open) -> Verdict {
        guard self.open.count < Self.maximum else { return .full }
        self.lastNumber += 1
        self.open[self.lastNumber] = question
        if !question.isOfTask, self.turnsHeld[question.call] == nil { self.turnsHeld[question.call] = question.asked }
        return .ask(call: question.call, number: self.lastNumber)
    }

    /// The server wants the answer to this question as a task.
    mutating func wantsTask(_ number: Int) { self.open[number]?.wantsTask = true }

    /// A question has its answer, which counts only in the name of the call that it belongs to, or of one client's any.
    mutating func answered(_ number: Int, by call: Int) -> Open? {
        guard let question = self.open[number], question.call == call || question.isGuess else { return nil }
        return self.open.removeValue(forKey: number)
    }

    /// The server takes a question back.
    mutating func withdrawn(_ id: ByteBuffer) -> (number: Int, call: Int)? {
        guard let (number, question) = self.open.first(where: { $0.value.id == id }) else { return nil }
        self.open[number] = nil
        return (number, question.call)
    }

    /// A call is over, and another of the same client's goes on: that may be the one that asks.
    mutating func handOver(from call: Int, to other: Int) {
        for (number, question) in self.open where question.call == call && question.isGuess {
            self.open[number]?.call = other
        }
    }

    /// A call is over: what was asked in its name is not to be answered any more.
    ///
    /// - Returns: what was open, under the server's ids.
    @discardableResult
    mutating func over(_ call: Int) -> [Open] {
        if !self.turnsHeld.isEmpty { self.turnsHeld[call] = nil }
        guard !self.open.isEmpty else { return [] }
        let over = self.open.filter { $0.value.call == call }.sorted { $0.key < $1.key }
        for (number, _) in over { self.open[number] = nil }
        return over.map(\.value)
    }

    /// A call that the server has was given up. It may still ask.
    mutating func gaveUp(_ call: Int, whose: String, now: NIODeadline) {
        if self.doubts.count >= Self.maximumDoubts {
            // Its own first: nobody else's are to be forgotten for it.
            let own = self.doubts.firstIndex { $0.whose == whose }
            let forgotten = self.doubts.remove(at: own ?? 0)
            if own == nil { self.allDoubt = max(self.allDoubt, forgotten.until) }
        }
        self.doubts.append((call, whose, now + Self.doubtTime))
    }

    /// The server has answered a call that was given up.
    mutating func answeredLate(_ call: Int) {
        if !self.doubts.isEmpty { self.doubts.removeAll { $0.call == call } }
    }

    func isAsking(_ call: Int) -> Bool { self.open.values.contains { $0.call == call } }

    /// Takes out what has waited too long.
    mutating func expire(now: NIODeadline) -> [(number: Int, question: Open)] {
        guard let next = self.nextDeadline, next <= now else { return [] }
        let late = self.open.filter { $0.value.deadline <= now }.sorted { $0.key < $1.key }
        for (number, _) in late { self.open[number] = nil }
        return late.map { ($0.key, $0.value) }
    }
}
