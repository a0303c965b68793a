import BridgeCore
import BridgeLink
import NIOCore

/// The client whose request it was has gone away. There is nobody left to answer.
struct ClientGone: Error {}

/// One request's exchange with the session worker, opened again when that is safe. Confined to the event loop.
final class SessionCall {
    enum Answer {
        /// The first of several messages: the answer is an event stream.
        case stream(JSONText, ByteBuffer?)
        /// The only message.
        case plain(JSONText, ByteBuffer?)
    }

    private(set) var feed: ExchangeFeed
    private let state: FrontState
    private let connection: ClientConnection
    private let header: JSONText
    private let body: PostBody?
    private let wantsDraining: Bool
    private var wasRepeated = false

    /// - Parameters:
    ///   - body: what is sent, and what decides whether it may be sent twice; without one it may.
    ///   - wantsDraining: whether the exchange is to end when the service stops, because it would not by itself.
    init(
        _ state: FrontState,
        _ connection: ClientConnection,
        header: JSONText,
        body: PostBody? = nil,
        wantsDraining: Bool = false
    ) {
        self.state = state
        self.connection = connection
        self.header = header
        self.body = body
        self.wantsDraining = wantsDraining
        self.feed = ExchangeFeed(
            loop: state.loop, payloads: connection.payloads, wantsDraining: wantsDraining)
    }

    /// Opens the exchange and waits for what comes first.
    ///
    /// While there is no session worker the exchange waits for one, for ``FrontState/sessionWait``; a worker that has it
    /// may take its time.
    ///
    /// - Throws: ``ClientGone``, or the ``Refusal`` to answer with. ``Refusal/outcomeUnknown`` is one answer to all of the
    ///   requests in the body.
    func firstAnswer() async throws -> Answer {
        self.open()
        while true {
            switch await self.feed.next(within: self.state.session.isConnected ? nil : self.state.sessionWait) {
            case .message(let header, let payload): return .stream(header, payload)
            case .ended(let header, let payload): return .plain(header, payload)
            case .failed(let failure): try self.recover(from: failure)
            case .clientGone: throw ClientGone()
            case .draining: break
            case .quiet:
                guard !self.state.session.isConnected else { break }
                self.feed.cancel(reason: "no session worker")
                throw Refusal.sessionUnavailable
            }
        }
    }

    private func open() {
        guard !self.connection.isGone else { return self.feed.clientGone() }
        self.connection.observer = self.feed
        self.feed.attach(
            self.state.session.open(header: self.header, payload: self.body?.text.bytes, delegate: self.feed)
        )
    }

    /// Opens the exchange once more, or says why not.
    private func recover(from failure: ExchangeFailure) throws {
        switch failure {
        case .linkLost(let sent):
            let isSafe = !sent || (self.body?.mayBeRepeated ?? true)
            guard isSafe, !self.wasRepeated else {
                if sent { self.state.metrics.unknownOutcomes += 1 }
                throw sent ? Refusal.outcomeUnknown : Refusal.sessionUnavailable
            }
            self.wasRepeated = true
            self.state.metrics.retriedRequests += 1
            self.feed = ExchangeFeed(
                loop: self.state.loop, payloads: self.connection.payloads, wantsDraining: self.wantsDraining)
            self.open()
        case .overloaded, .cancelled(reason: "overloaded"): throw Refusal.overloaded
        case .cancelled: throw Refusal.internalError
        }
    }
}
