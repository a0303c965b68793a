import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// Leads what the front passes on to whoever answers it. Confined to the event loop.
final class Router {
    private let sessions: SessionStore
    private let directory: Directory
    private let waiting: WaitingRoom
    private let desk: CallDesk
    private let subscriptions: SubscriptionDesk
    private let tasks: TaskDesk
    private let retention: Retention
    private let tables: SessionTables
    private let logger: Logger
    private var configuration: SessionConfiguration

    init(
        sessions: SessionStore, directory: Directory, waiting: WaitingRoom, desk: CallDesk,
        subscriptions: SubscriptionDesk, tasks: TaskDesk, retention: Retention, tables: SessionTables,
        configuration: SessionConfiguration, logger: Logger
    ) {
        self.sessions = sessions
        self.directory = directory
        self.waiting = waiting
        self.desk = desk
        self.subscriptions = subscriptions
        self.tasks = tasks
        self.retention = retention
        self.tables = tables
        self.configuration = configuration
        self.logger = logger
    }

    func reconfigure(_ configuration: SessionConfiguration) { self.configuration = configuration }

    /// - Parameter bindings: of the link that the exchange came by.
    func serve(_ exchange: Exchange, _ bindings: ClientRequest.Bindings) {
        guard let request = ClientRequest(exchange, bindings, now: .now()) else { return }
        switch request.operation {
        case .post: self.post(request)
        case .get: self.get(request)
        case .sse: self.openStream(request)
        case .delete: self.delete(request)
        case .tools: exchange.end(header: SessionEnd.answered, payload: self.toolsByServer(request).bytes)
        case .counts: exchange.end(header: SessionEnd.answered, payload: self.directory.counts.bytes)
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
    private func identity(of request: ClientRequest, answering id: ByteBuffer? = nil) -> SessionIdentity? {
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
            [weak self] in self?.answerList(offering, request)
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
            request.stream.reply(reply)
        } catch {
            request.stream.reply(ToldFault.invalidParams("Invalid cursor").reply(to: request.id.bytes))
        }
    }

    // MARK: Sessions

    private func initialize(_ message: RPCMessage, _ request: ClientRequest) {
        guard let id = message.idBytes else { return }
        // A client that comes with the id of a session that is no more would never get over a refusal: it gets a new one.
        let opened = request.isInSession ? self.sessions.find(request) : nil
        guard opened.map(self.sessions.awaitsInitialization) ?? true else {
            return request.refuse(.invalidRequest("initialize opens a session and cannot be sent in one"), id: id)
        }
        let initialization: Initialization
        do {
            initialization = try Initialization(message)
        } catch {
            return request.refuse(error, id: id)
        }
        let claims =
            opened.map { initialization.claims(of: $0.claims, self.configuration) }
            ?? initialization.claims(of: request.principal, self.configuration, now: WallClock.seconds())
        guard let (sessionID, identity) = self.sessions.open(claims, now: request.now) else {
            return request.refuse(.internalError, id: id)
        }
        if let opened {
            (identity.view, identity.concurrency) = (opened.view, opened.concurrency)
        } else {
            self.sessions.note(request, on: identity)
        }
        if opened != nil { self.sessions.bring(identity, now: request.now).isInitialized(as: identity) }
        self.logger.info(
            "MCP session initialized",
            metadata: [
                "mcp.request_id": "\(request.requestID)", "mcp.session": "\(identity.digest)",
                "mcp.client": "\((initialization.client ?? "").prefix(64))",
                "mcp.version": "\(initialization.revision.name)",
            ]
        )
        let result = initialization.result(
            self.configuration, offerings: self.tables.offerings,
            instructions: self.directory.instructions(for: identity.view), tasks: self.tasks.capability)
        request.exchange.end(
            header: SessionEnd(200, sessionID: sessionID).text, payload: RPCReply.result(id: id, result))
    }

    private func get(_ request: ClientRequest) {
        guard let identity = self.identity(of: request) else { return }
        let session = self.sessions.bring(identity, now: request.now)
        guard let event = request.lastEventID, !event.isEmpty, !ListeningStream.began(with: event) else {
            return session.listen(on: request.exchange, number: self.retention.nextNumber())
        }
        guard let (number, sequence) = EventLog.parse(event), let stream = session.streams[number],
            stream.resume(after: sequence, on: request.exchange)
        else { return request.refuse(.unknownEvent) }
    }

    /// The stream of a session that lasts as long as it, a new one or one whose stream the front opens again.
    private func openStream(_ request: ClientRequest) {
        let opened: (id: String, identity: SessionIdentity)?
        if case .named(let id?, _) = request.asker {
            guard let identity = self.identity(of: request) else { return }
            opened = (id, identity)
        } else {
            let claims = Initialization.claimsWithout(
                of: request.principal, self.configuration, now: WallClock.seconds())
            opened = self.sessions.open(claims, now: request.now)
            if let opened { self.sessions.note(request, on: opened.identity) }
        }
        guard let (id, identity) = opened else { return request.refuse(.internalError) }
        let session = self.sessions.bring(identity, now: request.now)
        session.stream(on: request.exchange, id: id) { [weak session, weak sessions, logger] in
            guard let session else { return }
            logger.info("MCP session closed", metadata: ["mcp.session": "\(session.identity.digest)"])
            sessions?.streamEnded(session.number)
        }
    }

    private func delete(_ request: ClientRequest) {
        guard let identity = self.identity(of: request) else { return }
        let logger = self.logger
        logger.info(
            "MCP session closed",
            metadata: ["mcp.request_id": "\(request.requestID)", "mcp.session": "\(identity.digest)"]
        )
        request.exchange.delegate = AnswerWaiter { _ in }
        self.sessions.end(identity).assumeIsolated().whenComplete { result in
            switch result {
            case .success:
                request.exchange.end(header: SessionEnd(204).text(capacity: 32))
            case .failure(is LedgerFull):
                request.refuse(.ledgerFull)
            case .failure(let error):
                logger.error("Session journal cannot be written", metadata: ["error": "\(error)"])
                request.refuse(.internalError)
            }
        }
    }
}
