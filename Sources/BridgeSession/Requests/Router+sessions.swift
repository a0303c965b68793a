import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

// Sessions: how they begin, listen and end.

extension Router {
    func initialize(_ message: RPCMessage, _ request: ClientRequest) {
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
            identity.mayLend = opened.mayLend
            identity.lends = opened.lends
            identity.isOwner = opened.isOwner
        } else {
            self.sessions.note(request, on: identity)
        }
        if opened != nil {
            self.sessions.bring(identity, now: request.now).isInitialized(as: identity)
            self.broker.look(at: identity.claims.number)
        }
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

    func get(_ request: ClientRequest) {
        guard let identity = self.identity(of: request) else { return }
        let session = self.sessions.bring(identity, now: request.now)
        let event = request.lastEventID ?? ""
        let seen = ListeningPlace(event)
        if event.isEmpty || seen != nil {
            let stream = session.listen(on: request.exchange, number: self.retention.nextNumber(), after: seen)
            if let seen { self.broker.sources[session.number]?.resume(after: seen, on: stream) }
            return self.broker.listens(session.number)
        }
        guard let (number, sequence) = EventLog.parse(event), let stream = session.streams[number],
            stream.resume(after: sequence, on: request.exchange)
        else { return request.refuse(.unknownEvent) }
    }

    /// The stream of a session that lasts as long as it, a new one or one whose stream the front opens again.
    func openStream(_ request: ClientRequest) {
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
        session.stream(on: request.exchange, id: id) { [weak session, sessions, logger] in
            guard let session else { return }
            logger.info("MCP session closed", metadata: ["mcp.session": "\(session.identity.digest)"])
            sessions.streamEnded(session.number)
        }
        self.broker.listens(session.number)
    }

    func delete(_ request: ClientRequest) {
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

    /// Nobody comes in a principal's name any more: what goes on in it ends, whoever waits for it, and nothing of it is kept.
    func endPrincipal(_ request: ClientRequest) {
        let principal = request.principal
        guard !principal.isEmpty else { return request.refuse(.internalError) }
        let tasks = self.tasks.end(of: principal, request.requestID)
        let sessions = self.sessions.end(of: principal, telling: .tokenIsOver)
        if sessions + tasks > 0 {
            self.logger.info(
                "A token has been revoked, and what went on in its name ends",
                metadata: ["mcp.principal": "\(principal)", "mcp.sessions": "\(sessions)", "mcp.tasks": "\(tasks)"])
        }
        request.exchange.end(header: SessionEnd.answered)
    }
}
