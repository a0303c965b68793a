import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// Leads what the front passes on to whoever answers it. Confined to the event loop.
final class Router {
    let sessions: SessionStore
    let directory: Directory
    private let waiting: WaitingRoom
    private let desk: CallDesk
    private let subscriptions: SubscriptionDesk
    let tasks: TaskDesk
    let broker: ChatBroker
    let retention: Retention
    let tables: SessionTables
    let logger: Logger
    private(set) var configuration: SessionConfiguration

    init(
        sessions: SessionStore, directory: Directory, waiting: WaitingRoom, desk: CallDesk,
        subscriptions: SubscriptionDesk, tasks: TaskDesk, broker: ChatBroker, retention: Retention,
        tables: SessionTables,
        configuration: SessionConfiguration, logger: Logger
    ) {
        self.sessions = sessions
        self.directory = directory
        self.waiting = waiting
        self.desk = desk
        self.subscriptions = subscriptions
        self.tasks = tasks
        self.broker = broker
        self.retention = retention
        self.tables = tables
        self.configuration = configuration
        self.logger = logger
    }

    func reconfigure(_ configuration: SessionConfiguration) { self.configuration = configuration }

    /// - Parameter bindings: of the link that the exchange came by.
    func serve(_ exchange: Exchange, _ bindings: ClientRequest.Bindings) {
        guard let opening = SessionOpening(exchange.header) else {
            guard let chat = ChatOpening(exchange.header) else { return exchange.cancel(reason: "unknown operation") }
            return self.broker.serve(chat, exchange)
        }
        guard let request = ClientRequest(opening, exchange, bindings, now: .now()) else { return }
        switch request.operation {
        case .post: self.post(request)
        case .get: self.get(request)
        case .sse: self.openStream(request)
        case .delete: self.delete(request)
        case .tools: exchange.end(header: SessionEnd.answered, payload: self.toolsByServer(request).bytes)
        case .counts: exchange.end(header: SessionEnd.answered, payload: self.directory.counts.bytes)
        case .over: self.endPrincipal(request)
        }
    }

    /// For `GET /tools`: every upstream's tools that the caller sees, under their dotted names.
    private func toolsByServer(_ request: ClientRequest) -> JSONText {
        JSONWriter.object { body in
            body.memberObject("tools") { servers in
                for (upstream, names) in self.directory.names(of: .tools, for: self.sessions.view(of: request)) {
                    servers.memberArray(upstream) { list in for name in names { list.element(name) } }
                }
            }
        }
    }

    // MARK: POST

    private func post(_ request: ClientRequest) {
        let messages: PostedMessages
        do {
            messages = try PostedMessages(request.body)
        } catch {
            return request.refuse(error.fault, id: error.id)
        }
        if case .one(let message) = messages, message.shape == .request, message.method == "initialize" {
            return self.initialize(message, request)
        }
        guard let identity = self.identity(of: request, answering: messages.firstID) else { return }
        switch messages {
        case .one(let message):
            self.handle(CollectionOfOne(message), isBatch: false, identity, request)
        case .batch(let messages):
            let revision = identity.claims.revision
            guard revision.allowsBatches else { return request.refuse(.batchNotAllowed, id: revision.unreadableID) }
            guard !messages.isEmpty else {
                return request.refuse(.invalidRequest(RPCBatch.limit), id: revision.unreadableID)
            }
            // 2025-03-26, basic/lifecycle, "Initialization".
            if let initialize = messages.first(where: { $0.shape == .request && $0.method == "initialize" }) {
                return request.refuse(.invalidRequest("initialize cannot be part of a batch"), id: initialize.idBytes)
            }
            self.handle(messages, isBatch: true, identity, request)
        }
    }

    /// The session that a request belongs to. Without one it is refused.
    ///
    /// So far it is known who asks, whichever way the request told it. What it asks for is judged behind this, for each one.
    func identity(of request: ClientRequest, answering id: ByteBuffer? = nil) -> SessionIdentity? {
        guard request.isInSession else {
            request.refuse(.sessionRequired, id: id)
            return nil
        }
        let identity = self.sessions.find(request)
        if identity == nil { request.refuse(.unknownSession, id: id) }
        return identity
    }

    private func handle(
        _ messages: some Collection<RPCMessage>, isBatch: Bool, _ identity: SessionIdentity, _ request: ClientRequest
    ) {
        let requests = messages.count { $0.shape == .request }
        guard requests > 0 else {
            let caller = self.sessions.inMemory(identity)?.caller
            for message in messages {
                if message.shape == .notification { self.notified(message, caller) } else { caller?.answered(message) }
            }
            return request.exchange.end(header: Self.accepted)
        }
        let caller = self.sessions.bring(identity, now: request.now).caller
        let stream = ClientStream(
            of: caller, exchange: request.exchange, requests: requests, isBatch: isBatch, retention: self.retention,
            now: request.now
        )
        // In their order: a batch may cancel what it asks for.
        for message in messages {
            switch message.shape {
            case .request: self.answer(message, identity, on: stream, request)
            case .notification: self.notified(message, caller)
            case .result, .error: caller.answered(message)
            }
        }
    }

    private static let accepted = SessionEnd(202).text

    /// - Parameter caller: nil where nothing of it is under way.
    private func notified(_ message: RPCMessage, _ caller: Caller?) {
        guard let caller else { return }
        guard let cancellation = Cancellation(message) else { return caller.noted(message) }
        caller.calls[cancellation.id]?.cancel(reason: cancellation.reason)
        self.waiting.drop(cancellation.id, of: caller)
        self.subscriptions.drop(cancellation.id, of: caller)
        self.tasks.drop(cancellation.id, of: caller)
        self.broker.drop(cancellation.id, of: caller)
    }

    private func answer(
        _ message: RPCMessage, _ identity: SessionIdentity, on stream: ClientStream, _ request: ClientRequest
    ) {
        guard let id = message.rpcID else { return }
        let name = message.method ?? ""
        guard let method = self.tables.method(name) else {
            return stream.refuse(id, .methodNotFound(name))
        }
        let pending = PendingRequest(
            message: message, id: id, method: method, stream: stream, requestID: request.requestID,
            names: request.names, hold: request.hold, now: request.now
        )
        switch method.target {
        case .bridge: self.answer(pending, identity)
        case .list(let offering): self.list(offering, pending)
        case .entry(.tools) where self.broker.takes(pending): break
        case .entry(let offering): self.desk.forward(pending, offering)
        case .reference: self.desk.complete(pending)
        case .task: self.tasks.answer(pending)
        case .onlyServer: self.desk.passOn(pending)
        case .subscription(isWanted: true): self.subscriptions.subscribe(pending, identity)
        case .subscription(isWanted: false): self.subscriptions.unsubscribe(pending, identity)
        }
    }

    /// What the bridge answers by itself.
    private func answer(_ request: PendingRequest, _ identity: SessionIdentity) {
        guard let answer = self.tables.answers[request.method.name] else {
            return request.refuse(.methodNotFound(request.method.name))
        }
        answer(request, BridgeMethods.Context(sessions: self.sessions, identity: identity))
    }

    private func list(_ offering: Offering, _ request: PendingRequest) {
        let later = WaitingRoom.Request(id: request.id, stream: request.stream, offering: offering, name: nil) {
            self.answerList(offering, request)
        }
        if self.waiting.wait(later) != .waits { later.answer() }
    }

    private func answerList(_ offering: Offering, _ request: PendingRequest) {
        let showsSafeNames =
            switch request.names {
            case "safe": true
            case "dot": false
            default: request.caller.showsSafeNames
            }
        do {
            let reply = try self.directory.section(offering, for: request.caller.view).reply(
                to: request.id.bytes, cursor: request.message.param("cursor").map { request.message.text[$0] },
                size: self.configuration.pageSize, safe: showsSafeNames
            )
            request.stream.reply(self.withHook(reply, offering, request))
        } catch {
            request.stream.reply(ToldFault.invalidParams("Invalid cursor").reply(to: request.id.bytes))
        }
    }
}
