import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// A notification that something has changed: one of each kind is enough, however often it did.
struct ListChange: Hashable {
    let method: String
    /// What has changed, where the method does not say it all.
    let about: String
    let message: ByteBuffer

    /// That a list is another.
    init(method: String) {
        let message = JSONWriter.object {
            $0.member("jsonrpc", "2.0")
            $0.member("method", method)
        }
        self.init(method: method, about: "", message: message.bytes)
    }

    init(method: String, about: String, message: ByteBuffer) {
        self.method = method
        self.about = about
        self.message = message
    }

    static func == (left: Self, right: Self) -> Bool { left.method == right.method && left.about == right.about }
    func hash(into hasher: inout Hasher) {
        hasher.combine(self.method)
        hasher.combine(self.about)
    }
}

/// What is in memory of one session: calls, streams, changes of lists that the client has not been told of. It is there
/// from the first call or stream on, until there has been neither for a while (`sessionIdleMemory`).
///
/// Confined to the event loop.
final class LiveSession {
    private(set) var identity: SessionIdentity
    /// Of a session that was opened without: whether it has been initialized in this life of the worker.
    private(set) var isInitialized = false
    let caller: Caller
    let streams = KeptStreams()
    /// The streams that the client opened with GET, the newest last.
    private(set) var listening: [ListeningStream] = []
    /// Changes of lists that the client has not been told of yet.
    private var owed: [ListChange]
    var lastUsed: NIODeadline
    /// Called when the client reads on, after it had been behind.
    var onRoom: (() -> Void)?
    /// Called when a stream on which the client listened is lost: questions beyond this place on it have not left.
    var onUnsent: ((ListeningPlace) -> Void)?

    init(_ identity: SessionIdentity, level: LogSeverity?, owed: [ListChange], now: NIODeadline) {
        self.identity = identity
        self.caller = Caller(identity, level: level, keeping: self.streams)
        self.owed = owed
        self.lastUsed = now
    }

    var number: UInt64 { self.identity.claims.number }

    /// A session that was opened without has been initialized.
    func isInitialized(as identity: SessionIdentity) {
        self.identity = identity
        self.isInitialized = true
        self.caller.isInitialized(as: identity)
    }

    /// Whether nothing would be lost by forgetting it.
    var isIdle: Bool { self.caller.unanswered == 0 && self.streams.isEmpty && self.listening.isEmpty }

    // MARK: Listening

    /// Of one session; a further one ends the oldest.
    static let maximumListening = 8

    /// - Parameters:
    ///   - number: that no other stream has.
    ///   - seen: how far its client has read the stream before it, where it says so.
    @discardableResult
    func listen(on exchange: Exchange, number: UInt64, after seen: ListeningPlace? = nil) -> ListeningStream {
        let stream = ListeningStream(of: self, exchange, number: number, after: seen)
        exchange.delegate = stream
        if self.listening.count >= Self.maximumListening { self.listening.removeFirst().end() }
        self.listening.append(stream)
        stream.open(isPrimed: self.caller.revision.allowsPrimingEvents)
        self.payDebts()
        return stream
    }

    /// Sends on this stream whatever is told from now on: it is the only one that the session has, and it says first by which
    /// id the session is known.
    ///
    /// - Parameter onEnd: called when the client, or the front with it, is gone.
    func stream(on exchange: Exchange, id: String, onEnd: @escaping () -> Void) {
        for stream in self.listening { stream.replace() }
        let stream = ListeningStream(of: self, exchange, onEnd: onEnd)
        exchange.delegate = stream
        self.listening = [stream]
        exchange.send(header: SessionEvent(sessionID: id).text)
        self.payDebts()
    }

    func forget(_ stream: ListeningStream) { self.listening.removeAll { $0 === stream } }

    /// Sends a message on one of the client's streams (basic/transports, "Multiple Connections"): the newest that it reads.
    ///
    /// - Returns: false when there is none; the message is dropped then.
    @discardableResult
    func tell(_ message: ByteBuffer) -> Bool { self.listening.reversed().contains { $0.send(message) } }

    /// The same; where the client does not listen, in a call of its that goes there.
    func tell(_ message: ByteBuffer, orInCallsTo upstream: UpstreamLink) {
        guard !self.tell(message) else { return }
        self.caller.calls.values.first { $0.upstream === upstream }?.stream.notify(message)
    }

    /// Tells the client that something has changed, now or when it next listens.
    func tell(_ change: ListChange) {
        guard !self.owed.contains(change) else { return self.payDebts() }
        if !self.tell(change.message) { self.owed.append(change) }
    }

    /// The same; of one kind the newest is what it is owed.
    func tell(newest change: ListChange) {
        self.owed.removeAll { $0 == change }
        if !self.tell(change.message) { self.owed.append(change) }
    }

    /// Tells the client something, or owes it a change that says as much.
    func tell(_ note: ByteBuffer, owing change: ListChange) {
        if !self.tell(note), !self.owed.contains(change) { self.owed.append(change) }
    }

    /// Tells the client of the changes that it has not been told of.
    func payDebts() {
        guard !self.owed.isEmpty else { return }
        self.owed = self.owed.filter { !self.tell($0.message) }
    }

    /// The client reads on: it can be told something again.
    func hasRoom() {
        self.payDebts()
        self.onRoom?()
    }

    /// The session is over.
    func endStreams() {
        self.streams.abandonAll()
        for stream in self.listening { stream.replace() }
        self.listening = []
    }

    /// After 5 seconds without a word a stream begins, so that the call survives its connection.
    func primeQuietStreams(now: NIODeadline) {
        guard self.caller.revision.allowsPrimingEvents else { return }
        for call in self.caller.calls.values where now - call.stream.opened > .seconds(5) { call.stream.prime() }
    }
}
