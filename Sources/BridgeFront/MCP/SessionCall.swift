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
    /// What is sent. Its bytes are kept only while they may have to be sent.
    private var post: Post?
    private let wantsDraining: Bool
    private var wasRepeated = false
    /// A worker that may have had it is gone. From then on nobody is told that it did not run.
    private var mayHaveRun = false

    /// The body of a POST.
    struct Post {
        var body: CollectedBody
        /// Whether it may be sent twice.
        let mayBeRepeated: Bool
    }

    /// - Parameters:
    ///   - post: what is sent; without it the request may be sent twice.
    ///   - wantsDraining: whether the exchange is to end when the service stops, because it would not by itself.
    init(
        _ state: FrontState,
        _ connection: ClientConnection,
        header: JSONText,
        post: Post? = nil,
        wantsDraining: Bool = false
    ) {
        self.state = state
        self.connection = connection
        self.header = header
        self.post = post
        self.wantsDraining = wantsDraining
        self.feed = Self.feed(state, connection, wantsDraining: wantsDraining, isPost: post != nil)
    }

    private static func feed(
        _ state: FrontState, _ connection: ClientConnection, wantsDraining: Bool, isPost: Bool
    ) -> ExchangeFeed {
        ExchangeFeed(
            loop: state.loop, payloads: connection.payloads, wantsDraining: wantsDraining, outlivesClient: isPost)
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
        // What has arrived whole is done, whether its client waits for it or not.
        guard !self.connection.isGone || self.post != nil else { return self.feed.clientGone() }
        self.connection.observer = self.feed
        self.feed.attach(
            self.state.session.open(
                header: self.header, payload: self.post?.body.bytes, hold: self.post?.body.hold, delegate: self.feed)
        )
        if self.post?.mayBeRepeated == false { self.post?.body = CollectedBody(bytes: ByteBuffer()) }
        if self.connection.isGone { self.feed.clientGone() }
    }

    /// Opens the exchange once more, or says why not.
    private func recover(from failure: ExchangeFailure) throws {
        switch failure {
        case .linkLost(let sent):
            if sent { self.mayHaveRun = true }
            let isSafe = !sent || (self.post?.mayBeRepeated ?? true)
            guard isSafe, !self.wasRepeated else {
                if self.mayHaveRun { self.state.metrics.unknownOutcomes += 1 }
                throw self.refusal(.sessionUnavailable)
            }
            self.wasRepeated = true
            self.state.metrics.retriedRequests += 1
            if !sent, let bytes = self.feed.unsent.bytes {
                self.post?.body = CollectedBody(bytes: bytes, hold: self.feed.unsent.hold)
            }
            self.feed = Self.feed(
                self.state, self.connection, wantsDraining: self.wantsDraining, isPost: self.post != nil)
            self.open()
        case .overloaded, .cancelled(reason: ExchangeFailure.tooMany): throw self.refusal(.overloaded)
        case .cancelled(reason: ExchangeFailure.noMemory): throw self.refusal(.overloadedWorker)
        case .cancelled: throw Refusal.internalError
        }
    }

    /// - Parameter refusal: says that the request has not run.
    private func refusal(_ refusal: Refusal) -> Refusal { self.mayHaveRun ? .outcomeUnknown : refusal }
}
