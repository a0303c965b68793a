import BridgeCore
import DequeModule
import NIOCore

/// Decides which source is asked what, and when.
///
/// Pure: times come in, and what is to be done comes out. A request belongs to no source before it is asked: one that
/// vanishes loses nothing but what it had been asked. No request is asked twice, unless whoever was to ask says that
/// nobody was (``giveBack(_:isFull:)``).
///
/// A source that becomes free takes the oldest request of the principal whose turn it is, of those that it can take. Of
/// several sources that are free, the least busy is asked.
struct ChatQueue {
    /// Given by the owner; never used twice.
    typealias RequestID = Int
    typealias SourceID = UInt64

    struct Request {
        let id: RequestID
        /// Between these the queue is fair.
        let principal: String
        /// By name; empty is every source.
        let sources: Set<String>
        let needs: ChatNeeds
        /// When it has waited too long, or the answer has.
        let deadline: NIODeadline?
    }

    struct Source {
        /// Several may have the same: two windows of one program.
        let name: String
        /// What it takes.
        let abilities: ChatNeeds
        /// How many requests it takes at once.
        let limit: Int
        /// Whether requests may wait for it.
        var isReady: Bool
        /// Whether it takes nothing for a moment, however few requests it has: it reads slowly, or others ask it much.
        var isFull: Bool
        fileprivate(set) var busy: Int = 0
        /// When it was asked last, counted in requests.
        fileprivate var turn: Int = 0
        fileprivate var hasRoom: Bool { self.isReady && !self.isFull && self.busy < self.limit }

        init(name: String, abilities: ChatNeeds, limit: Int, isReady: Bool, isFull: Bool = false) {
            self.name = name
            self.abilities = abilities
            self.limit = limit
            self.isReady = isReady
            self.isFull = isFull
        }
    }

    /// Why a request is not answered.
    enum Refusal: Equatable {
        /// Nobody lends this model.
        case noSource
        /// Somebody does, and cannot be asked yet.
        case notReady
        /// Whoever does takes no tools.
        case noTools
        /// Whoever does takes no sound.
        case noAudio
        /// Too many wait already.
        case full
        /// It has waited too long; nobody was asked.
        case waited
        /// Its source has not answered in time.
        case unanswered
        /// Its source is gone. It may have answered somewhere where nobody hears it.
        case lost

        /// The same of a request that was to be asked, and has not left for its source.
        var ofUnasked: Refusal {
            switch self {
            case .lost: .notReady
            case .unanswered: .waited
            case .noSource, .notReady, .noTools, .noAudio, .full, .waited: self
            }
        }
    }

    enum Step: Equatable {
        case ask(RequestID, SourceID)
        case fail(RequestID, Refusal)
    }

    private(set) var sources: [SourceID: Source] = [:]
    /// How many requests may wait.
    var limit: Int
    private var requests: [RequestID: Request] = [:]
    /// Who has been asked what.
    private(set) var asked: [RequestID: SourceID] = [:]
    /// What waits, by principal, the oldest first. No list is empty.
    private var waiting: [String: Deque<RequestID>] = [:]
    /// Whose turn it is: the principals with something that waits.
    private var turns: Deque<String> = []
    private var asks = 0
    private var steps: [Step] = []

    init(limit: Int) { self.limit = limit }

    var countWaiting: Int { self.requests.count - self.asked.count }

    /// What is to be done, in its order. Each step is told once.
    mutating func takeSteps() -> [Step] {
        defer { self.steps = [] }
        return self.steps
    }

    // MARK: Requests

    mutating func submit(_ request: Request) {
        if let refusal = self.obstacle(to: request) { return self.steps.append(.fail(request.id, refusal)) }
        self.requests[request.id] = request
        if let source = self.free(for: request) { return self.ask(request.id, source) }
        guard self.countWaiting <= self.limit else {
            self.requests[request.id] = nil
            return self.steps.append(.fail(request.id, .full))
        }
        self.wait(request, isFirst: false)
    }

    /// It is answered, or nobody wants to know any more: it is forgotten, and its source free.
    mutating func finish(_ id: RequestID) {
        guard let request = self.requests.removeValue(forKey: id) else { return }
        guard let source = self.asked.removeValue(forKey: id) else { return self.unwait(request) }
        self.sources[source]?.busy -= 1
        self.goOn()
    }

    /// The source was not asked, and nobody else knows of the request. It is the first again.
    ///
    /// - Parameter isFull: whether the source takes nothing for a moment; else it could not be reached.
    mutating func giveBack(_ id: RequestID, isFull: Bool) {
        guard let source = self.asked.removeValue(forKey: id), let request = self.requests[id] else { return }
        self.sources[source]?.busy -= 1
        if isFull { self.sources[source]?.isFull = true } else { self.sources[source]?.isReady = false }
        self.wait(request, isFirst: true)
        self.failHopeless()
        self.goOn()
    }

    /// Fails what has taken too long.
    mutating func expire(now: NIODeadline) {
        let overdue = self.requests.values.filter { $0.deadline.map { $0 <= now } ?? false }
        for request in overdue.sorted(by: { $0.id < $1.id }) {
            self.fail(request, self.asked[request.id] == nil ? .waited : .unanswered)
        }
        if !overdue.isEmpty { self.goOn() }
    }

    // MARK: Sources

    /// A source is there, or is another than it was. What it has been asked stays asked.
    mutating func set(_ source: Source, as id: SourceID) {
        var source = source
        source.busy = self.sources[id]?.busy ?? 0
        source.turn = self.sources[id]?.turn ?? 0
        self.sources[id] = source
        self.failHopeless()
        self.goOn()
    }

    mutating func set(_ id: SourceID, isReady: Bool, isFull: Bool) {
        guard let source = self.sources[id], source.isReady != isReady || source.isFull != isFull else { return }
        self.sources[id]?.isReady = isReady
        self.sources[id]?.isFull = isFull
        if isReady { self.goOn() } else { self.failHopeless() }
    }

    /// A source is gone. What it had been asked fails.
    mutating func remove(_ id: SourceID) {
        guard self.sources.removeValue(forKey: id) != nil else { return }
        for request in self.asked.filter({ $0.value == id }).keys.sorted() {
            if let request = self.requests[request] { self.fail(request, .lost) }
        }
        self.failHopeless()
        self.goOn()
    }
}

// MARK: Choice

extension ChatQueue {
    /// Why a request cannot even wait; nil where it can.
    private func obstacle(to request: Request) -> Refusal? {
        let named = self.sources.values.filter { request.sources.isEmpty || request.sources.contains($0.name) }
        if named.isEmpty { return .noSource }
        let able = named.filter { request.needs.isSubset(of: $0.abilities) }
        if able.contains(where: \.isReady) { return nil }
        // One that is not ready may still be told from one that never will do.
        if !able.isEmpty { return .notReady }
        return request.needs.contains(.tools) && !named.contains { $0.abilities.contains(.tools) } ? .noTools : .noAudio
    }

    private func takes(_ source: Source, _ request: Request) -> Bool {
        source.hasRoom && request.needs.isSubset(of: source.abilities)
            && (request.sources.isEmpty || request.sources.contains(source.name))
    }

    /// The least busy source that can take it now; of several, the one that was asked longest ago.
    private func free(for request: Request) -> SourceID? {
        self.sources.filter { self.takes($0.value, request) }.min { left, right in
            (left.value.busy, left.value.turn, left.key) < (right.value.busy, right.value.turn, right.key)
        }?.key
    }

    private mutating func ask(_ id: RequestID, _ source: SourceID) {
        self.asks += 1
        self.asked[id] = source
        self.sources[source]?.busy += 1
        self.sources[source]?.turn = self.asks
        self.steps.append(.ask(id, source))
    }

    /// Asks whatever can be asked now, each principal in its turn.
    private mutating func goOn() {
        var idle = 0
        while idle < self.turns.count, self.sources.values.contains(where: \.hasRoom) {
            let principal = self.turns.removeFirst()
            self.turns.append(principal)
            guard let (request, source) = self.next(of: principal) else {
                idle += 1
                continue
            }
            idle = 0
            self.unwait(request)
            self.ask(request.id, source)
        }
    }

    /// The oldest request of a principal that can be asked now.
    private func next(of principal: String) -> (Request, SourceID)? {
        for id in self.waiting[principal] ?? [] {
            if let request = self.requests[id], let source = self.free(for: request) { return (request, source) }
        }
        return nil
    }

    // MARK: What waits

    private mutating func wait(_ request: Request, isFirst: Bool) {
        let principal = request.principal
        guard self.waiting[principal] != nil else {
            self.waiting[principal] = [request.id]
            return isFirst ? self.turns.prepend(principal) : self.turns.append(principal)
        }
        if isFirst {
            self.waiting[principal]?.prepend(request.id)
            self.turns.removeAll { $0 == principal }
            self.turns.prepend(principal)
        } else {
            self.waiting[principal]?.append(request.id)
        }
    }

    private mutating func unwait(_ request: Request) {
        self.waiting[request.principal]?.removeAll { $0 == request.id }
        guard self.waiting[request.principal]?.isEmpty == true else { return }
        self.waiting[request.principal] = nil
        self.turns.removeAll { $0 == request.principal }
    }

    private mutating func fail(_ request: Request, _ refusal: Refusal) {
        self.requests[request.id] = nil
        if let source = self.asked.removeValue(forKey: request.id) {
            self.sources[source]?.busy -= 1
        } else {
            self.unwait(request)
        }
        self.steps.append(.fail(request.id, refusal))
    }

    /// Fails what waits for sources that are there no more.
    private mutating func failHopeless() {
        for id in self.waiting.values.joined().sorted() {
            if let request = self.requests[id], let refusal = self.obstacle(to: request) { self.fail(request, refusal) }
        }
    }
}
