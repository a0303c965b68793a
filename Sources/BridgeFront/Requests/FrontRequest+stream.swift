import BridgeConfiguration
import BridgeCore
import BridgeLink
import NIOCore

/// The events of an answer that streams, on their way to the connection.
struct EventBuffer {
    /// What has not been given to the connection.
    private(set) var bytes = ByteBuffer()
    /// Sizes of the messages that their sender has not been told of as read.
    private var unacknowledged: [Int] = []
    /// Requests that were POSTed and not answered yet. When the exchange is lost, each gets an error.
    private(set) var owed: [RPCID]
    /// How much of what has not been given to the connection is counted as held for its client.
    var counted = 0
    private let isBatch: Bool
    var isFlushDue = false
    /// The id of the message at the end of the bytes, where it has one.
    private var lastID: String?
    /// When anything was last said.
    var lastSaid: NIODeadline

    /// Events that are ready together leave together, up to about this many bytes.
    private static let coalesced = 64 << 10
    /// What a client is asked to wait before it connects again, in milliseconds.
    private static let retry = 1_000

    init(_ body: PostBody?, now: NIODeadline) {
        self.owed = body?.requestIDs ?? []
        self.isBatch = body?.isBatch ?? false
        self.lastSaid = now
    }

    var isFull: Bool { self.bytes.readableBytes >= Self.coalesced }

    mutating func write(_ event: SessionEvent, _ payload: ByteBuffer?, _ endpoint: Endpoint) {
        if let payload {
            self.lastID = event.eventID
            self.note(payload)
            endpoint.event(payload, event.eventID, &self.bytes)
        } else if event.isPriming {
            EventStream.write(primeWithID: event.eventID, retry: Self.retry, to: &self.bytes)
        }
    }

    mutating func write(endpoint: String) { EventStream.write(endpoint: endpoint, to: &self.bytes) }

    mutating func owesAcknowledgement(_ octets: Int) { self.unacknowledged.append(octets) }

    /// That the outcome of what is still owed is not known.
    mutating func writeOwed(_ endpoint: Endpoint, _ refusal: Refusal = .outcomeUnknown) {
        for id in self.owed { endpoint.event(endpoint.refusal(refusal, id.bytes), nil, &self.bytes) }
    }

    mutating func writeRetry() { EventStream.write(retry: Self.retry, to: &self.bytes) }

    mutating func writeKeepAlive() { self.bytes.writeImmutableBuffer(EventStream.keepAlive) }

    mutating func takeBytes() -> ByteBuffer {
        defer { self.bytes = ByteBuffer() }
        return self.bytes
    }

    mutating func takeLastID() -> String? {
        defer { self.lastID = nil }
        return self.lastID
    }

    mutating func takeUnacknowledged() -> [Int] {
        defer { self.unacknowledged.removeAll() }
        return self.unacknowledged
    }

    /// Which request of a batch a message answers, if any.
    mutating func note(_ payload: ByteBuffer) {
        guard self.isBatch, let message = try? RPCMessage(JSONText(trusting: payload)) else { return }
        guard message.shape == .result || message.shape == .error, let id = message.rpcID else { return }
        self.owed.removeAll { $0 == id }
    }
}

// MARK: Answers that stream

extension FrontRequest {
    func beginStream() {
        self.timer?.cancel()
        self.timer = nil
        self.payload = nil
        self.stream = EventBuffer(self.body, now: self.state.clock.now)
        guard !self.isPosted else { return }
        self.count(200)
        self.state.metrics.openStreams += 1
        var head = ResponseHead(200, .events)
        head.origin = self.page
        head.access = self.state.limits.fields(for: self.verdict.token)
        self.connection.beginStream(head)
    }

    /// - Parameters:
    ///   - isLast: the exchange is over, and nothing of it is acknowledged any more.
    ///   - isCounted: whether it is of this request's own exchange, which is to be acknowledged.
    func append(_ event: SessionEvent, _ payload: ByteBuffer?, isLast: Bool = false, isCounted: Bool = true) {
        guard self.stream != nil else { return }
        self.responseBytes += payload?.readableBytes ?? 0
        if self.isPosted { return self.appendPosted(payload, isLast: isLast) }
        if let session = event.sessionID { self.isKnown(as: session) }
        self.stream?.write(event, payload, self.endpoint)
        guard !isLast else { return }
        if isCounted { self.stream?.owesAcknowledgement(payload?.readableBytes ?? 0) }
        // Of each question on a stream that is listened on, it is known whether it has left.
        let isFollowed = self.operation == .get && event.eventID != nil && payload != nil
        if isFollowed || self.stream?.isFull == true { self.handOver() }
        self.flushSoon()
    }

    /// What is said in one turn of the loop leaves together.
    private func flushSoon() {
        guard self.stream?.isFlushDue == false else { return }
        self.stream?.isFlushDue = true
        self.state.loop.assumeIsolated().execute {
            self.stream?.isFlushDue = false
            self.flush()
        }
    }

    func flush() {
        guard !self.machine.isOver else { return }
        self.handOver()
        self.connection.flushStream()
        if self.connection.isWritable { self.acknowledge() }
        if self.timer == nil { self.keepAlive() }
    }

    /// - Parameter isLast: nothing comes after it.
    private func handOver(isLast: Bool = false) {
        if self.operation == .sse, !isLast, !self.connection.isWritable { return self.keepBack() }
        if let counted = self.stream?.counted, counted > 0 {
            self.stream?.counted = 0
            self.connection.payloads.releaseAnswer(counted)
        }
        guard let bytes = self.stream?.takeBytes(), bytes.readableBytes > 0 else { return }
        self.stream?.lastSaid = self.state.clock.now
        guard self.operation == .get, let id = self.stream?.takeLastID() else {
            return self.connection.writeStream(bytes)
        }
        let left = self.state.loop.makePromise(of: Void.self)
        left.futureResult.assumeIsolated().whenSuccess { self.left = id }
        self.connection.writeStream(bytes, allButEnd: left)
    }

    /// What the client of HTTP+SSE has not read may be any number of small answers. They are kept together, and counted: in the
    /// channel they would not be.
    private func keepBack() {
        guard let stream, stream.bytes.readableBytes - stream.counted >= PayloadBudget.smallest else { return }
        self.stream?.counted = stream.bytes.readableBytes
        self.connection.payloads.holdAnswer(stream.bytes.readableBytes - stream.counted)
    }

    /// Messages count as read once the connection has taken them: a client that does not read holds back its own exchange
    /// and nothing else.
    func acknowledge() {
        for octets in self.stream?.takeUnacknowledged() ?? [] { self.exchange?.acknowledge(octets: octets) }
        if self.operation == .sse { self.session?.acknowledge() }
    }

    /// Has a silent stream say that it is alive.
    private func keepAlive() {
        guard self.machine.wantsKeepAlive, let stream else { return }
        let interval = self.state.configuration.keepAliveInterval.timeAmount
        let due = stream.lastSaid + interval
        self.timer = self.state.loop.assumeIsolated().scheduleTask(deadline: due) {
            self.timer = nil
            let now = self.state.clock.refresh()
            if let last = self.stream?.lastSaid, last + interval <= now {
                // A client that does not read has more than enough to read.
                if self.connection.isWritable { self.stream?.writeKeepAlive() }
                self.stream?.lastSaid = now
            }
            self.flush()
        }
    }

    /// - Parameter failure: the stable word of why it ended early.
    func endStream(failure: String? = nil) {
        guard self.stream != nil else { return }
        if self.isPosted { return self.isDone(failure: failure) }
        self.handOver(isLast: true)
        self.stream = nil
        self.state.metrics.openStreams -= 1
        self.release()
        self.connection.endStream()
        self.record(200, failure: failure)
        if self.operation == .sse { self.session?.streamEnded() }
    }
}
