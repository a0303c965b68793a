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
    private let servers: SubscriptionTeller
    private var book = SubscriptionBook<PendingRequest>()
    private var departures = Departures<Departing>()
    /// The subscriptions that are not at the server that they were for at first.
    private var elsewhere: [ObjectIdentifier: Asking] = [:]
    private var listeners = ListenedServers()
    /// By server: what it is still to be subscribed to after it has been connected to.
    private var restorations: [String: Restoration] = [:]

    /// - Parameter held: what sessions hold from an earlier life.
    init(
        _ directory: Directory, resources: ResourceDirectory, desk: CallDesk, sessions: SessionStore,
        held: [UInt64: [ResourceTopic]]
    ) {
        self.directory = directory
        self.resources = resources
        self.servers = SubscriptionTeller(directory)
        self.desk = desk
        self.sessions = sessions
        let known = Set(directory.upstreams.map(\.route.name))
        for (session, topics) in held {
            for topic in topics where known.contains(topic.server) { self.book.restore(topic, by: session) }
        }
    }

    // MARK: Requests

    func subscribe(_ request: PendingRequest, _ identity: SessionIdentity, mayWait: Bool = true) {
        guard let uri = request.name(in: .resources) else { return request.refuse(.invalidParams("uri is required")) }
        // Who waits is known by its id. `CallDesk` looks at those that are forwarded only.
        guard request.caller.calls[request.id] == nil, !self.book.holdsRequest(where: { $0.hasTheID(of: request) }),
            !self.departures.holds(where: { $0.request.hasTheID(of: request) })
        else {
            return request.refuse(.duplicateID)
        }
        let upstreams = self.resources.upstreams(for: uri, of: request.caller)
        guard let first = upstreams.first else {
            guard mayWait else {
                return request.refuse(self.directory.unknown(uri, of: .resources, for: request.caller.view))
            }
            return self.desk.wait(request, for: uri, of: .resources) { [weak self] in
                self?.subscribe(request, identity, mayWait: false)
            }
        }
        if let left = self.departures.first(of: upstreams.map { ResourceTopic(server: $0.route.name, uri: uri) }) {
            let waiting = Departing(request: request, session: identity.claims.number) { [weak self] in
                self?.subscribe(request, identity, mayWait: mayWait)
            }
            return self.departures.wait(waiting, for: left)
        }
        let topic = ResourceTopic(server: first.route.name, uri: uri)
        switch self.book.subscribe(topic, by: identity.claims.number, request) {
        case .done:
            self.keep(identity)
            request.succeed()
        case .full: request.refuse(.tooManySubscriptions)
        case .wait: break
        case .forward:
            let asking = Asking(topic)
            self.desk.send(
                request,
                along: CallRoute(
                    to: first, called: uri, timeout: first.route.callTimeout, mayRepeat: true,
                    with: CallExtras(
                        others: upstreams.dropFirst(), uri: uri,
                        onNext: { [weak self] in self?.asksNext(asking, $0) },
                        onEnd: { [weak self] in self?.answered(asking, to: request, $0) }, isEverybodys: true)),
                now: .now())
        }
    }

    /// A subscription on its way through the servers that may have the resource.
    private final class Asking {
        /// What was asked for first: by this the book knows who waits.
        let first: ResourceTopic
        /// At the server that is asked now.
        var topic: ResourceTopic
        /// Whether that server has been unsubscribed from since it was asked, as somebody else who held it has left.
        var isUndone = false

        init(_ topic: ResourceTopic) {
            self.first = topic
            self.topic = topic
        }
    }

    private func asksNext(_ asking: Asking, _ upstream: UpstreamLink) {
        asking.topic = ResourceTopic(server: upstream.route.name, uri: asking.first.uri)
        asking.isUndone = false
        self.elsewhere[ObjectIdentifier(asking)] = asking
    }

    /// The server has answered the client that asked first, which gets that from its call; or that client has gone.
    private func answered(_ asking: Asking, to asker: PendingRequest, _ response: ByteBuffer?) {
        self.elsewhere[ObjectIdentifier(asking)] = nil
        let topic = asking.topic
        let text = response.map { JSONText(trusting: $0) }
        let isGood = text?.member("result") != nil
        let (waiting, isUnwanted) = self.book.answered(asking.first, by: topic, isGood: isGood)
        let others = waiting.filter { !$0.request.isSame(as: asker) }
        // Whether a server holds what it was asked for is not known where nobody heard its answer.
        let isUnknown = response == nil && others.isEmpty && self.book.holders(of: topic).isEmpty
        if isUnwanted || isUnknown {
            self.unsubscribe(from: topic)
        } else if isGood, asking.isUndone {
            self.servers.tell(topic, "resources/subscribe")
        }
        if isGood { for session in Set(waiting.map(\.session)) { self.keep(session) } }
        for (session, request) in others {
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

    /// Lets go, without an answer, of a request that waits and that its client does not want any more.
    func drop(_ id: RPCID, of caller: Caller) {
        for request in self.book.takeOut({ _, request in request.id == id && request.isWaiting(for: caller) }) {
            request.stream.drop()
        }
        for departing in self.departures.takeOut(where: { $0.request.id == id && $0.request.isWaiting(for: caller) }) {
            departing.request.stream.drop()
        }
    }

    func unsubscribe(_ request: PendingRequest, _ identity: SessionIdentity) {
        guard let uri = request.name(in: .resources) else { return request.refuse(.invalidParams("uri is required")) }
        let number = identity.claims.number
        let topics = self.book.topics(of: number).filter { $0.uri == uri }
        for topic in topics where self.book.unsubscribe(topic, by: number) == .forward { self.unsubscribe(from: topic) }
        self.keep(identity)
        self.succeed(request, of: number, onceLeft: topics)
    }

    /// Answers once no server is being told any more.
    private func succeed(_ request: PendingRequest, of session: UInt64, onceLeft topics: some Collection<ResourceTopic>)
    {
        guard let topic = self.departures.first(of: topics) else { return request.succeed() }
        let waiting = Departing(request: request, session: session) { [weak self] in
            self?.succeed(request, of: session, onceLeft: topics)
        }
        self.departures.wait(waiting, for: topic)
    }

    /// A request that waits until a server is unsubscribed from.
    private struct Departing {
        let request: PendingRequest
        let session: UInt64
        let goOn: () -> Void
    }

    // MARK: News

    /// A session is over.
    func ended(_ session: UInt64) {
        let (unwanted, requests) = self.book.ended(session)
        for topic in unwanted { self.unsubscribe(from: topic) }
        self.refresh(session)
        let departing = self.departures.takeOut { $0.session == session }.map(\.request)
        // One that was forwarded is answered by its call.
        for request in requests + departing where request.isWaiting(for: request.caller) { request.refuse(.cancelled) }
    }

    /// The configuration is another: nothing is held of servers that are gone.
    func reconfigured() {
        let servers = Set(self.directory.upstreams.map(\.route.name))
        for server in self.book.servers.subtracting(servers) { self.book.gone(server) }
        for session in self.sessions.all { self.refresh(session.number) }
        // One of them may be there for the first time under its name.
        for upstream in self.directory.upstreams {
            upstream.isKept = self.listeners.isListened(to: upstream.route.name)
        }
    }

    /// A session has come into memory, or left it; or it holds something else. What somebody wants to hear of is not let go
    /// as unused. A session that is not in memory hears of what it has missed when it comes back.
    func refresh(_ session: UInt64) {
        let isThere = self.sessions.session(session) != nil
        if !isThere { self.forgetUnkept(of: session) }
        let servers = isThere ? Set(self.book.topics(of: session).map(\.server)) : []
        for server in self.listeners.set(servers, by: session) {
            let upstream = self.directory.upstreams.first { $0.route.name == server }
            upstream?.isKept = self.listeners.isListened(to: server)
        }
    }

    /// What there was no room to keep goes with the session's memory: nothing would say that it has expired.
    private func forgetUnkept(of session: UInt64) {
        let kept = self.sessions.keptTopics(of: session)
        for topic in self.book.topics(of: session) where !kept.contains(topic) {
            if self.book.unsubscribe(topic, by: session) == .forward { self.unsubscribe(from: topic) }
        }
    }

    /// A server has been connected to, and knows of no subscription. What changed meanwhile nobody can say.
    func connected(_ upstream: UpstreamLink) {
        let filter = upstream.route.filter(of: .resources)
        let topics = self.book.topics(of: upstream.route.name).filter { filter.admits(uri: $0.uri) }
        guard !topics.isEmpty, upstream.isRunning else { return }
        let restoration = Restoration(topics)
        self.restorations[upstream.route.name] = restoration
        for _ in 0..<Self.atOnce { self.restoreNext(of: restoration, on: upstream) }
    }

    /// So many subscriptions of one server are asked for at once after it has been connected to.
    private static let atOnce = 64

    private final class Restoration {
        var rest: ArraySlice<ResourceTopic>
        init(_ topics: [ResourceTopic]) { self.rest = topics[...] }
    }

    private func restoreNext(of restoration: Restoration, on upstream: UpstreamLink) {
        // Another connection has begun, and with it another restoration.
        guard self.restorations[upstream.route.name] === restoration, upstream.isConnected, upstream.isRunning else {
            return
        }
        restoration.rest = restoration.rest.drop { self.book.holders(of: $0).isEmpty }
        guard let topic = restoration.rest.popFirst() else {
            self.restorations[upstream.route.name] = nil
            return
        }
        self.servers.tell(topic, "resources/subscribe", on: upstream) { [weak self] in
            self?.restoreNext(of: restoration, on: upstream)
        }
        self.updated(topic, ResourceUpdate.message(topic.uri), from: upstream)
    }

    /// Takes a notification that is about a resource.
    ///
    /// - Returns: false for any other.
    func take(_ note: ByteBuffer, from upstream: UpstreamLink) -> Bool {
        let text = JSONText(trusting: note)
        guard text.string("method") == ResourceUpdate.method else { return false }
        guard let uri = text.value("params")?.string("uri") else { return true }
        self.updated(ResourceTopic(server: upstream.route.name, uri: uri), note, from: upstream)
        return true
    }

    private func updated(_ topic: ResourceTopic, _ note: ByteBuffer, from upstream: UpstreamLink) {
        guard upstream.route.filter(of: .resources).admits(uri: topic.uri) else { return }
        // It may be a part of what was subscribed to (server/resources, "Subscriptions"). What is owed names what is held:
        // there may be any number of parts.
        for (session, held) in self.book.holdings(of: topic) where self.isSeen(upstream, by: session) {
            if held.uri != topic.uri { self.resources.note(part: topic.uri, in: session, from: upstream) }
            self.sessions.tell(note, owing: ResourceUpdate.change(held.uri), to: session)
        }
    }

    /// What a session holds from an earlier life may be out of its scope now.
    private func isSeen(_ upstream: UpstreamLink, by session: UInt64) -> Bool {
        self.sessions.session(session)?.caller.seesAll(of: upstream) ?? true
    }

    /// What a session may have missed that comes back: something about each of its resources.
    func missed(by session: UInt64) -> [ListChange] {
        self.book.topics(of: session).map { ResourceUpdate.change($0.uri) }
    }

    // MARK: What lasts

    private func keep(_ identity: SessionIdentity) {
        self.sessions.keep(self.book.topics(of: identity.claims.number), of: identity)
        self.refresh(identity.claims.number)
    }

    private func keep(_ session: UInt64) {
        guard let identity = self.sessions.session(session)?.identity else { return }
        self.keep(identity)
    }

    // MARK: For the server

    private func unsubscribe(from topic: ResourceTopic) {
        for asking in self.elsewhere.values where asking.topic == topic { asking.isUndone = true }
        self.departures.begin(topic)
        self.servers.tell(topic, "resources/unsubscribe") { [weak self] in
            for waiting in self?.departures.ended(topic) ?? [] { waiting.goOn() }
        }
    }
}
