import BridgeCore
import NIOCore

/// A session of HTTP+SSE (2024-11-05). It lasts as long as the one stream on which everything is told; its requests come with
/// POST, on any connection.
///
/// To the session worker it is a session like any other, with a sealed id of its own, which no client ever sees: so the
/// stream goes on when that worker is lost, and the next one knows the session. Confined to the event loop.
final class StreamedSession {
    /// More requests than these are not taken while they are under way: one session must leave exchanges to the others.
    static let maximumUnderWay = 1_024

    /// By which its client names it.
    let id: String
    let principal: String
    /// How its client wants names to be shown, where the address of its stream says so.
    let names: String?
    /// As the session worker was told last.
    private var scope: String?
    private var concurrency: Int?
    /// By which the session worker knows it.
    private(set) var sealed: String
    /// How the session worker is told who asks.
    private(set) var caller: CallerBinding
    private let sessions: StreamedSessions
    private let bindings: BindingNumbers
    /// None once it has ended.
    private var stream: FrontRequest?
    /// Requests that were accepted and are not over.
    private var posted: [ObjectIdentifier: FrontRequest] = [:]
    private var isDraining = false

    fileprivate init(
        id: String, sealed: String, stream: FrontRequest, _ sessions: StreamedSessions, _ bindings: BindingNumbers
    ) {
        self.id = id
        self.sealed = sealed
        self.stream = stream
        self.principal = stream.verdict.principal
        self.names = stream.verdict.names
        self.scope = stream.verdict.token?.scope
        self.concurrency = stream.verdict.token?.concurrency
        self.sessions = sessions
        self.bindings = bindings
        self.caller = CallerBinding(bindings)
    }

    var isOver: Bool { self.stream == nil }
    var hasRoom: Bool { self.posted.count < Self.maximumUnderWay }

    /// What its principal may do is another thing now: the session worker is told so in full.
    func isAllowed(_ scope: String?, _ concurrency: Int?) {
        guard scope != self.scope || concurrency != self.concurrency else { return }
        self.scope = scope
        self.concurrency = concurrency
        self.caller = CallerBinding(self.bindings)
    }

    /// The session worker knows it by another id: it has been initialized.
    func isKnown(as sealed: String) {
        guard sealed != self.sealed else { return }
        self.sealed = sealed
        self.caller = CallerBinding(self.bindings)
    }

    /// There is a session worker again, and it has no stream of the session.
    fileprivate func linkConnected() { self.stream?.linkConnected() }

    // MARK: Requests

    func add(_ request: FrontRequest) { self.posted[ObjectIdentifier(request)] = request }

    /// A request is over.
    func remove(_ request: FrontRequest) {
        guard self.posted.removeValue(forKey: ObjectIdentifier(request)) != nil else { return }
        if self.isDraining, self.owesNothing { self.stream?.connectionDrains() }
    }

    /// Tells the client something.
    func send(_ message: ByteBuffer) { self.stream?.send(message) }

    var isRead: Bool { self.stream?.connection.isWritable ?? false }

    /// The client has read what there is, but for a little.
    func acknowledge() { for request in self.posted.values { request.acknowledge() } }

    // MARK: The end

    private var owesNothing: Bool { self.posted.values.allSatisfy { $0.machine.rules.endsOnDrain } }

    /// The service stops.
    ///
    /// - Returns: whether the stream may end: nothing is under way that has to be answered on it.
    func drain() -> Bool {
        self.isDraining = true
        return self.owesNothing
    }

    /// The session is over, and its stream not yet.
    func end(failure: String?) { self.stream?.endSession(failure: failure) }

    /// Its stream has ended: whatever is under way is cancelled, for nobody could be told of it.
    func streamEnded() {
        guard self.stream != nil else { return }
        self.stream = nil
        self.sessions.forget(self)
        let posted = self.posted
        self.posted = [:]
        for request in posted.values { request.streamEnded() }
    }
}

/// The sessions of HTTP+SSE that there are, by the ids that their clients know. Confined to the event loop.
final class StreamedSessions {
    private var byID: [String: StreamedSession] = [:]

    var count: Int { self.byID.count }

    /// - Parameter sealed: by which the session worker knows the session.
    func open(_ sealed: String, on stream: FrontRequest, _ bindings: BindingNumbers) -> StreamedSession {
        // 128 bits of the system's own generator: who knows one has been told.
        let id = [UInt64.random(in: .min ... .max), .random(in: .min ... .max)].map(Self.hex).joined()
        let session = StreamedSession(id: id, sealed: sealed, stream: stream, self, bindings)
        self.byID[id] = session
        return session
    }

    /// A session that is good for this principal.
    func find(_ id: String, principal: String) -> StreamedSession? {
        guard let session = self.byID[id], session.principal == principal else { return nil }
        return session
    }

    /// Ahead of the requests that have waited for it.
    func linkConnected() { for session in Array(self.byID.values) { session.linkConnected() } }

    fileprivate func forget(_ session: StreamedSession) { self.byID[session.id] = nil }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.utf8.count) + digits
    }
}
