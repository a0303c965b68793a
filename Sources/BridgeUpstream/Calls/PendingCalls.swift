import NIOCore

/// The calls that an upstream has not answered yet, under the ids that they have upstream.
///
/// Pure: times and random numbers come in. A call first waits, then is written once, then is answered, cancelled, timed out
/// or lost. Ids are never used twice on one connection.
struct PendingCalls<Caller> {
    /// The most calls, and bytes of calls, that wait to be written.
    static var maximumWaiting: Int { 1_024 }
    static var maximumWaitingOctets: Int { 8 << 20 }
    /// Of so many calls that were given up it is remembered that a late answer is no mistake of the upstream.
    private static var maximumAbandoned: Int { 1_024 }

    private(set) var calls: [Int: Call] = [:]
    private var waiting = CircularBuffer<Int>(initialCapacity: 16)
    private var waitingCount = 0
    private var waitingOctets = 0
    /// Of those that have been written, how many have a client that can be asked.
    private var askableWritten = 0
    /// Of those that have been written, how many take no turns.
    private(set) var turnlessWritten = 0
    private var abandoned: Set<Int> = []
    private var abandonedOrder = CircularBuffer<Int>(initialCapacity: 16)
    /// Ids of this connection lie behind the first and up to the last.
    private var firstID = 0
    private(set) var lastID = 0
    /// What waited already when this connection began kept its ids.
    private var olderIDs: Set<Int> = []
    /// No call's deadline is before it.
    private var earliest: NIODeadline = .distantFuture

    init() {}

    var count: Int { self.calls.count }
    /// Calls that have been written and not answered.
    var writtenCount: Int { self.calls.count - self.waitingCount }
    var hasWaiting: Bool { self.waitingCount > 0 }
    /// When ``expire(now:)`` has something to say at the earliest.
    var nextDeadline: NIODeadline? { self.calls.isEmpty ? nil : self.earliest }

    /// A connection begins.
    ///
    /// - Parameter number: its ids lie behind it.
    mutating func begin(idsBehind number: Int) {
        self.firstID = number
        self.lastID = number
        self.olderIDs = Set(self.calls.keys)
        // An id of one that is gone may come again: it would be in the queue twice.
        self.dropGone()
        self.abandoned = []
        self.abandonedOrder.removeAll()
    }

    /// An id for a request of the bridge's own.
    mutating func reserveID() -> Int {
        repeat { self.lastID += 1 } while self.olderIDs.contains(self.lastID)
        return self.lastID
    }

    /// A request of the bridge's own is given up: a late answer is no mistake.
    mutating func giveUp(reserved id: Int) {
        self.abandon(id)
    }

    // MARK: The way there

    /// - Parameter takesTurns: false for one that nobody waits for, and that waits for nobody, where calls run one at a time.
    /// - Returns: the call's id upstream; `nil` when too much waits already. A call that finds nothing waiting is taken
    ///   whatever its size.
    mutating func add(
        _ caller: Caller, octets: Int, timeout: TimeAmount, isAskable: Bool = false, takesTurns: Bool = true,
        now: NIODeadline
    ) -> Int? {
        if self.waitingCount > 0 {
            guard self.waitingCount < Self.maximumWaiting, self.waitingOctets + octets <= Self.maximumWaitingOctets
            else { return nil }
        }
        let id = self.reserveID()
        let deadline = now + timeout
        self.earliest = self.calls.isEmpty ? deadline : min(self.earliest, deadline)
        self.calls[id] = Call(
            caller: caller, octets: octets, timeout: timeout, isAskable: isAskable && takesTurns,
            takesTurns: takesTurns, arrived: now, deadline: deadline)
        self.waiting.append(id)
        self.waitingCount += 1
        self.waitingOctets += octets
        if self.waiting.count > 2 * Self.maximumWaiting + self.waitingCount { self.dropGone() }
        return id
    }

    /// The next call to write. From now on it counts as written.
    ///
    /// - Parameter inTurns: whether one whose client can be asked has to be the only one under way.
    mutating func write(inTurns: Bool = false) -> (id: Int, caller: Caller)? {
        while let id = self.waiting.first {
            guard let call = self.calls[id] else {
                self.waiting.removeFirst()
                continue
            }
            guard inTurns, call.takesTurns,
                self.askableWritten > 0 || (call.isAskable && self.writtenCount > self.turnlessWritten)
            else { return self.write(at: self.waiting.startIndex) }
            return self.waiting.firstIndex { self.calls[$0]?.takesTurns == false }.flatMap { self.write(at: $0) }
        }
        return nil
    }

    private mutating func write(at index: CircularBuffer<Int>.Index) -> (id: Int, caller: Caller)? {
        let id = self.waiting.remove(at: index)
        guard var call = self.calls[id] else { return nil }
        call.isWritten = true
        if call.isAskable { self.askableWritten += 1 }
        if !call.takesTurns { self.turnlessWritten += 1 }
        self.calls[id] = call
        self.leftQueue(call)
        return (id, call.caller)
    }

    /// Whether any call under way has a client that can be asked.
    var isAskable: Bool { self.askableWritten > 0 }

    // MARK: Questions

    /// A call's client is asked: its clock stands still.
    @discardableResult
    mutating func pause(_ id: Int, until: NIODeadline, now: NIODeadline) -> Caller? {
        guard var call = self.calls[id], call.isWritten else { return nil }
        if call.rest == nil { call.rest = max(.zero, call.deadline - now) }
        call.deadline = max(call.deadline, until)
        self.calls[id] = call
        return call.caller
    }

    /// All that it was asked has been answered: its clock goes on.
    mutating func goOn(_ id: Int, now: NIODeadline) {
        guard var call = self.calls[id], let rest = call.rest else { return }
        call.rest = nil
        call.deadline = now + rest
        self.earliest = min(self.earliest, call.deadline)
        self.calls[id] = call
    }

    func caller(_ id: Int) -> Caller? { self.calls[id]?.caller }
    func deadline(_ id: Int) -> NIODeadline? { self.calls[id]?.deadline }

    /// When the call came that has waited longest for its turn.
    var oldestWaiting: NIODeadline? {
        guard self.waitingCount > 0 else { return nil }
        return self.waiting.lazy.compactMap { self.calls[$0] }.first(where: \.takesTurns)?.arrived
    }

    /// Takes out the calls that came by then and wait for their turn.
    mutating func giveUpWaiting(since time: NIODeadline) -> [Call] {
        let calls = self.take { !$0.isWritten && $0.takesTurns && $0.arrived <= time }
        for call in calls { self.leftQueue(call) }
        return calls
    }

    private mutating func leftQueue(_ call: Call) {
        self.waitingCount -= 1
        self.waitingOctets -= call.octets
    }

    private mutating func leftWire(_ call: Call) {
        if call.isAskable { self.askableWritten -= 1 }
        if !call.takesTurns { self.turnlessWritten -= 1 }
    }

    private mutating func dropGone() {
        var kept = CircularBuffer<Int>(initialCapacity: self.waitingCount)
        for id in self.waiting where self.calls[id] != nil { kept.append(id) }
        self.waiting = kept
    }

    // MARK: The way back

    enum Answer {
        /// It is over.
        case call(Call)
        /// The answer to a call that was given up; no mistake.
        case late
        /// It has been answered before.
        case duplicate
        /// No request ever had this id.
        case unknown
    }

    mutating func answered(_ id: Int) -> Answer {
        if let call = self.calls[id] {
            guard call.isWritten else { return .unknown }
            self.calls[id] = nil
            self.leftWire(call)
            return .call(call)
        }
        if self.abandoned.remove(id) != nil { return .late }
        return self.isOfThisConnection(id) || self.olderIDs.contains(id) ? .duplicate : .unknown
    }

    /// Whether an id was given out since this connection began.
    func isOfThisConnection(_ id: Int) -> Bool {
        id > self.firstID && id <= self.lastID && !self.olderIDs.contains(id)
    }

    /// Whether this call has been written and not answered.
    func isUnderWay(_ id: Int) -> Bool { self.calls[id]?.isWritten ?? false }

    /// The upstream says how far the call under this token is. Its time begins anew.
    mutating func progressed(_ id: Int, now: NIODeadline) -> Caller? {
        guard var call = self.calls[id], call.isWritten else { return nil }
        if call.rest == nil { call.deadline = now + call.timeout } else { call.rest = call.timeout }
        self.calls[id] = call
        return call.caller
    }

    // MARK: Endings without an answer

    /// - Returns: whether the upstream has to be told; `nil` when the call is over already.
    mutating func cancel(_ id: Int) -> Bool? {
        guard let call = self.remove(id) else { return nil }
        return call.isWritten
    }

    /// Takes out the calls whose time is over, the oldest first.
    mutating func expire(now: NIODeadline) -> [(id: Int, call: Call)] {
        guard now >= self.earliest else { return [] }
        let ids = self.calls.filter { $0.value.deadline <= now }.keys.sorted()
        let expired = ids.compactMap { id in self.remove(id).map { (id, $0) } }
        self.earliest = self.calls.values.map(\.deadline).min() ?? .distantFuture
        return expired
    }

    /// There will be no answer to one call that was written, and the connection goes on.
    ///
    /// - Returns: `nil` when the call is over already, or was not written.
    mutating func lost(_ id: Int) -> Call? {
        guard let call = self.calls[id], call.isWritten else { return nil }
        self.calls[id] = nil
        self.leftWire(call)
        return call
    }

    /// The connection is gone: takes out the calls that were written.
    mutating func connectionLost() -> [Call] {
        self.abandoned = []
        self.abandonedOrder.removeAll()
        self.askableWritten = 0
        self.turnlessWritten = 0
        return self.take { $0.isWritten }
    }

    /// Takes out the calls that were not written.
    ///
    /// - Parameter time: only those whose time is over by then.
    mutating func giveUpWaiting(until time: NIODeadline = .distantFuture) -> [Call] {
        let calls = self.take { !$0.isWritten && $0.deadline <= time }
        for call in calls { self.leftQueue(call) }
        self.dropGone()
        return calls
    }

    private mutating func take(_ isTaken: (Call) -> Bool) -> [Call] {
        let ids = self.calls.filter { isTaken($0.value) }.keys.sorted()
        return ids.compactMap { self.calls.removeValue(forKey: $0) }
    }

    private mutating func remove(_ id: Int) -> Call? {
        guard let call = self.calls.removeValue(forKey: id) else { return nil }
        if call.isWritten {
            self.leftWire(call)
            self.abandon(id)
        } else {
            self.leftQueue(call)
        }
        return call
    }

    private mutating func abandon(_ id: Int) {
        self.abandoned.insert(id)
        self.abandonedOrder.append(id)
        if self.abandonedOrder.count > Self.maximumAbandoned {
            self.abandoned.remove(self.abandonedOrder.removeFirst())
        }
    }
}
