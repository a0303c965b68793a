import NIOCore
import NIOHTTP1

/// What has arrived on a connection: the request under way, and what waits behind it. An object, so that looking at a part of
/// it copies none of the rest.
final class IncomingRequests {
    /// What cannot be looked at yet.
    enum Waiting {
        case part(HTTPServerRequestPart)
        /// The parser could make nothing of what follows.
        case fault(Refusal)
    }

    /// Who answers the request under way.
    enum Server {
        case nobody
        /// The front's own path.
        case own(any OwnRequest)
        case router
    }

    var server = Server.nobody
    /// The fields of the request under way.
    var fields = RequestFields([:])
    /// The first line of the request under way, when it is the router's.
    var line = RequestLine(.GET, .service)
    var peer = ResponsePeer.any
    /// Whether all of the request under way has been looked at.
    var isComplete = true
    /// Whether its answer has been written.
    var isAnswered = true
    /// Its body waits for room.
    var isHeld = false
    /// The connection was asked to read while it was held back.
    var isReadDue = false

    /// Requests whose end has arrived, ever.
    var arrivedEnds = 0
    /// How the body ended that last arrived.
    var bodyTail: RequestEnd.Tail?
    /// The parser has the beginning of a head.
    var hasBeginning = false

    private var waiting = CircularBuffer<Waiting>(initialCapacity: 0)
    /// What waits is being looked at: what is answered meanwhile does not begin anew.
    var isTaking = false

    /// The request under way, when it is the front's own.
    var request: (any OwnRequest)? {
        if case .own(let request) = self.server { request } else { nil }
    }

    /// No request is under way, and none has arrived.
    var isBetween: Bool { self.isComplete && self.isAnswered && self.waiting.isEmpty }
    var hasWaiting: Bool { !self.waiting.isEmpty }
    var isHeldBack: Bool { self.isHeld || !self.waiting.isEmpty }

    func wait(for part: Waiting) { self.waiting.append(part) }

    /// The next part that waits, if it can be looked at now.
    func next(isWritable: Bool) -> Waiting? {
        guard let first = self.waiting.first else { return nil }
        switch first {
        case .part(let part):
            guard self.canTake(part, isWritable: isWritable) else { return nil }
        case .fault:
            guard self.isComplete, self.isAnswered else { return nil }
        }
        return self.waiting.removeFirst()
    }

    /// Whether a part that arrives may be looked at: of the request under way, or of a new one when that is over and its
    /// answer has been read but for a little.
    func canTake(_ part: HTTPServerRequestPart, isWritable: Bool) -> Bool {
        if case .head = part { return self.isComplete && self.isAnswered && isWritable }
        return !self.isHeld
    }

    func clear() {
        self.server = .nobody
        self.waiting.removeAll()
        self.isHeld = false
    }
}
