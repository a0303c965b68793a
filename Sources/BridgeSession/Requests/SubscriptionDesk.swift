import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import NIOCore

/// Subscriptions of all sessions to resources: each server has each of them once, however many sessions hold it, and
/// whatever becomes of the processes on the way. Confined to the event loop.
final class SubscriptionDesk {
    private let directory: Directory
    private let resources: ResourceDirectory
    private let desk: CallDesk
    private let sessions: SessionStore
    private var book = SubscriptionBook<PendingRequest>()
    private var lastID = 0

    /// - Parameter held: what sessions hold from an earlier life.
    init(
        _ directory: Directory, resources: ResourceDirectory, desk: CallDesk, sessions: SessionStore,
        held: [UInt64: [ResourceTopic]]
    ) {
        self.directory = directory
        self.resources = resources
        self.desk = desk
        self.sessions = sessions
        for (session, topics) in held { for topic in topics { self.book.restore(topic, by: session) } }
    }

    // MARK: Requests

    func subscribe(_ request: PendingRequest, _ identity: SessionIdentity, mayWait: Bool = true) {
        guard let uri = request.name(in: .resources) else { return request.refuse(.invalidParams("uri is required")) }
        guard let upstream = self.resources.upstreams(for: uri, of: request.caller).first else {
            guard mayWait else { return request.refuse(Offering.resources.unknownEntry(uri)) }
            return self.desk.wait(request, for: uri, of: .resources) { [weak self] in
                self?.subscribe(request, identity, mayWait: false)
            }
        }
        let topic = ResourceTopic(server: upstream.route.name, uri: uri)
        switch self.book.subscribe(topic, by: identity.claims.number, request) {
        case .done:
            self.keep(identity)
            request.succeed()
        case .full: request.refuse(.tooManySubscriptions)
        case .wait: break
        case .forward:
            self.desk.send(
                request,
                along: CallRoute(
                    to: upstream, called: uri, timeout: upstream.route.callTimeout, mayRepeat: false,
                    onEnd: { [weak self] in self?.answered(topic, to: request, $0) }),
                now: .now())
        }
    }

    /// The server has answered the client that asked first, which gets that from its call; or that client has gone.
    private func answered(_ topic: ResourceTopic, to asker: PendingRequest, _ response: ByteBuffer?) {
        let text = response.map { JSONText(trusting: $0) }
        let isGood = text?.member("result") != nil
        let (waiting, isUnwanted) = self.book.answered(topic, isGood: isGood)
        if isUnwanted { self.tell(topic, "resources/unsubscribe") }
        for (session, request) in waiting {
            if isGood { self.keep(session) }
            if request.id == asker.id, request.stream === asker.stream { continue }
            if isGood {
                request.succeed()
            } else if let error = text?.value("error") {
                request.stream.reply(RPCReply.error(id: request.id.bytes, error))
            } else if let identity = self.sessions.session(session)?.identity {
                self.subscribe(request, identity)
            } else {
                request.refuse(.cancelled)
            }
        }
    }

    func unsubscribe(_ request: PendingRequest, _ identity: SessionIdentity) {
        guard let uri = request.name(in: .resources) else { return request.refuse(.invalidParams("uri is required")) }
        let number = identity.claims.number
        for topic in self.book.topics(of: number) where topic.uri == uri {
            if self.book.unsubscribe(topic, by: number) == .forward { self.tell(topic, "resources/unsubscribe") }
        }
        self.keep(identity)
        request.succeed()
    }

    // MARK: News

    /// A session is over.
    func ended(_ session: UInt64) {
        for topic in self.book.ended(session) { self.tell(topic, "resources/unsubscribe") }
    }

    /// A server has been connected to, and knows of no subscription. What changed meanwhile nobody can say.
    func connected(_ upstream: UpstreamLink) {
        for topic in self.book.topics(of: upstream.route.name) {
            self.tell(topic, "resources/subscribe", on: upstream)
            self.updated(topic, Self.updated(topic.uri))
        }
    }

    /// Takes a notification that is about a resource.
    ///
    /// - Returns: false for any other.
    func take(_ note: ByteBuffer, from upstream: UpstreamLink) -> Bool {
        let text = JSONText(trusting: note)
        guard text.string("method") == Self.method else { return false }
        guard let uri = text.value("params")?.string("uri") else { return true }
        self.updated(ResourceTopic(server: upstream.route.name, uri: uri), note)
        return true
    }

    private static let method = "notifications/resources/updated"

    private static func updated(_ uri: String) -> ByteBuffer {
        JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", Self.method)
            message.memberObject("params") { $0.member("uri", uri) }
        }.bytes
    }

    private func updated(_ topic: ResourceTopic, _ note: ByteBuffer) {
        let change = ListChange(method: Self.method, about: topic.uri, message: note)
        for session in self.book.holders(of: topic) { self.sessions.tell(change, to: session) }
    }

    /// What a session may have missed that comes back: something about each of its resources.
    func missed(by session: UInt64) -> [ListChange] {
        self.book.topics(of: session).map {
            ListChange(method: Self.method, about: $0.uri, message: Self.updated($0.uri))
        }
    }

    // MARK: What lasts

    private func keep(_ identity: SessionIdentity) {
        self.sessions.keep(self.book.topics(of: identity.claims.number), of: identity)
    }

    private func keep(_ session: UInt64) {
        guard let identity = self.sessions.session(session)?.identity else { return }
        self.keep(identity)
    }

    // MARK: For the server

    /// Tells a server something that no client waits for.
    private func tell(_ topic: ResourceTopic, _ method: String, on upstream: UpstreamLink? = nil) {
        let upstream = upstream ?? self.directory.upstreams.first { $0.route.name == topic.server }
        // One that is not connected is told when it is.
        guard let upstream, upstream.isConnected else { return }
        self.lastID += 1
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("id", self.lastID)
            message.member("method", method)
            message.memberObject("params") { $0.member("uri", topic.uri) }
        }
        let header = UpstreamCallHeader(
            requestID: "", timeout: upstream.route.callTimeout.milliseconds, principal: "", session: nil)
        _ = upstream.open(
            header: UpstreamRequest.call(header).text, payload: message.bytes, delegate: AnswerWaiter { _ in })
    }
}
