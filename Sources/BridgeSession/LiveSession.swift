import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// What is in memory of one session. There is one only while there is something to keep: calls, streams, a list change
/// that the client has not been told of.
///
/// Confined to the event loop.
final class LiveSession {
    let claims: SessionClaims
    /// For logs: the session's id itself never leaves the worker but to its client.
    let digest: String
    var level: LogSeverity?
    var calls: [RPCID: Call] = [:]
    /// Streams that have sent events with ids, by their number.
    var streams: [UInt64: ClientStream] = [:]
    /// The streams that the client opened with GET, the newest last.
    private(set) var listening: [ListeningStream] = []
    var owesListChanged = false
    var lastUsed: NIODeadline

    init(claims: SessionClaims, digest: String, level: LogSeverity?, now: NIODeadline) {
        self.claims = claims
        self.digest = digest
        self.level = level
        self.lastUsed = now
    }

    /// Whether nothing would be lost by forgetting it.
    var isIdle: Bool { self.calls.isEmpty && self.streams.isEmpty && self.listening.isEmpty }

    /// Of one session; a further one ends the oldest.
    static let maximumListening = 8

    func listen(_ stream: ListeningStream) {
        if self.listening.count >= Self.maximumListening { self.listening.removeFirst().end() }
        self.listening.append(stream)
    }

    func forget(_ stream: ListeningStream) { self.listening.removeAll { $0 === stream } }

    func endListening() {
        for stream in self.listening { stream.end() }
        self.listening = []
    }

    /// Sends a message on one of the client's streams (basic/transports, "Multiple Connections"): the newest that it reads.
    ///
    /// - Returns: false when there is none; the message is dropped then.
    @discardableResult
    func tell(_ message: ByteBuffer) -> Bool { self.listening.reversed().contains { $0.send(message) } }

    /// Tells the client that the list of tools has changed, now or when it next listens.
    func toolsChanged() { self.owesListChanged = !self.tell(Self.listChanged) }

    /// What a client hears that has not asked for a level.
    static let standardLevel = LogSeverity.info

    /// Whether the client wants to see a notification: what is no log message always, a log message by its severity.
    func wants(_ severity: LogSeverity?) -> Bool { (severity ?? .emergency) >= (self.level ?? Self.standardLevel) }

    private static let listChanged = ByteBuffer(
        staticString: #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
    )
}

/// A stream that a client opened with GET, for what belongs to no request of its.
final class ListeningStream: ExchangeDelegate {
    private weak var session: LiveSession?
    private let exchange: Exchange

    init(session: LiveSession, exchange: Exchange) {
        self.session = session
        self.exchange = exchange
    }

    func open() { self.exchange.send(header: JSONText(literal: #"{"open":true}"#)) }

    /// Sends a notification.
    ///
    /// - Returns: false when it was dropped because the client reads too slowly.
    @discardableResult
    func send(_ message: ByteBuffer) -> Bool {
        guard self.exchange.isWritable else { return false }
        self.exchange.send(header: .emptyObject, payload: message)
        return true
    }

    func end() { self.exchange.end(header: JSONText(literal: #"{"st":200}"#)) }

    func exchange(_ exchange: Exchange, received header: JSONText, payload: ByteBuffer?) {}
    func exchangeEnded(_ exchange: Exchange, header: JSONText, payload: ByteBuffer?) { self.gone() }
    func exchangeFailed(_ exchange: Exchange, _ failure: ExchangeFailure) { self.gone() }

    func exchangeBecameWritable(_ exchange: Exchange) {
        if let session = self.session, session.owesListChanged { session.toolsChanged() }
    }

    private func gone() {
        self.session?.forget(self)
    }
}
