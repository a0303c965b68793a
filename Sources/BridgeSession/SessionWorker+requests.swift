import BridgeConfiguration
import BridgeCore
import BridgeLink
import BridgeMCP
import Logging
import NIOCore

/// What a front's exchange asks for: see the operations in ``serve(_:)``.
extension SessionWorker {
    /// One HTTP request, as the front passes it on.
    struct ClientRequest {
        let exchange: Exchange
        let requestID: String
        let principal: String
        let sessionID: String?
        /// What the body is counted by, for as long as any part of it is kept.
        let hold: PayloadHold?
        let body: ByteBuffer?

        init(_ exchange: Exchange) {
            self.exchange = exchange
            self.requestID = exchange.header.string("rid") ?? ""
            self.principal = exchange.header.string("who") ?? ""
            self.sessionID = exchange.header.string("sid")
            (self.body, self.hold) = exchange.takePayload()
        }

        func refuse(_ status: Int, _ error: BridgeError, id: ByteBuffer? = nil) {
            self.exchange.end(header: JSONWriter.object { $0.member("st", status) }, payload: error.reply(to: id))
        }
    }

    func serve(_ exchange: Exchange) {
        let request = ClientRequest(exchange)
        switch exchange.header.string("op") {
        case "post": self.post(request)
        case "get": self.get(request)
        case "delete": self.delete(request)
        case "tools": exchange.end(header: JSONText(literal: #"{"st":200}"#), payload: self.toolsByServer().bytes)
        default: exchange.cancel(reason: "unknown operation")
        }
    }

    // MARK: POST

    private func post(_ request: ClientRequest) {
        guard let body = request.body else {
            return request.refuse(400, .invalidRequest("The body is empty"))
        }
        let text = JSONText(trusting: body)
        var messages: [RPCMessage] = []
        do {
            if text.kind == .array {
                messages = try RPCBatch.messages(of: text) ?? []
            } else {
                messages.append(try RPCMessage(text))
            }
        } catch {
            return request.refuse(400, .invalidRequest("\(error)"), id: RPCMessage.recoverableID(of: text)?.bytes)
        }
        if messages.count == 1, text.kind == .object, messages[0].shape == .request,
            messages[0].method == "initialize"
        {
            return self.initialize(messages[0], request)
        }
        guard let id = request.sessionID else {
            return request.refuse(400, .sessionRequired, id: messages.first?.idBytes)
        }
        guard let claims = self.claims(of: id, principal: request.principal) else {
            return request.refuse(404, .unknownSession, id: messages.first?.idBytes)
        }
        guard text.kind == .object || claims.revision.allowsBatches else {
            return request.refuse(400, .batchNotAllowed)
        }
        guard !messages.isEmpty else { return request.refuse(400, .invalidRequest(RPCBatch.limit)) }
        self.handle(messages, isBatch: text.kind == .array, session: (claims, id), request)
    }

    private func handle(
        _ messages: [RPCMessage], isBatch: Bool, session: (claims: SessionClaims, id: String), _ request: ClientRequest
    ) {
        let requests = messages.count { $0.shape == .request }
        guard requests > 0 else {
            for message in messages where message.shape == .notification { self.notified(message, session.claims) }
            return request.exchange.end(header: JSONText(literal: #"{"st":202}"#))
        }
        let live = self.liveSession(session.claims, id: session.id)
        let stream = ClientStream(
            number: self.nextStreamNumber(), session: live, exchange: request.exchange, requests: requests,
            isBatch: isBatch, retention: self.retention
        )
        // In their order: a batch may cancel what it asks for.
        for message in messages {
            switch message.shape {
            case .request: self.answer(message, on: stream, request)
            case .notification: self.notified(message, session.claims)
            case .result, .error: break
            }
        }
    }

    private func notified(_ message: RPCMessage, _ claims: SessionClaims) {
        guard message.method == "notifications/cancelled",
            let id = message.param("requestId").flatMap({ RPCID(message.text[$0]) })
        else { return }
        guard let session = self.sessions[claims.number] else { return }
        session.calls[id]?.abort(.cancelled)
        self.cancelWaiting(in: session, id: id)
    }

    private func answer(_ message: RPCMessage, on stream: ClientStream, _ request: ClientRequest) {
        guard let id = message.rpcID else { return }
        switch message.method {
        case "tools/call":
            self.call(message, id: id, on: stream, request)
        case "tools/list":
            self.list(message, id: id, on: stream, request)
        case "ping":
            stream.reply(RPCReply.result(id: id.bytes, .emptyObject))
        case "logging/setLevel":
            guard
                let level = message.param("level").flatMap({ message.text[$0].string })
                    .flatMap(LogSeverity.init(rawValue:))
            else { return stream.refuse(id, .invalidParams("level is not a log level")) }
            do {
                try self.set(level, for: stream.session)
                stream.reply(RPCReply.result(id: id.bytes, .emptyObject))
            } catch {
                stream.refuse(id, .ledgerFull)
            }
        case "initialize":
            stream.refuse(id, .invalidRequest("The session is initialized already"))
        default:
            stream.refuse(id, .methodNotFound(message.method ?? ""))
        }
    }

    // MARK: tools/call

    /// - Parameter mayWait: false for a call that has waited for its tool already.
    private func call(
        _ message: RPCMessage, id: RPCID, on stream: ClientStream, _ request: ClientRequest, mayWait: Bool = true
    ) {
        let session = stream.session
        guard let nameSpan = message.name, let name = message.text[nameSpan].string else {
            return stream.refuse(id, .invalidParams("name is required"))
        }
        // What was listed in this very turn counts: it may be the last that was waited for.
        self.bringCatalogueUpToDate()
        guard let tool = self.catalogue[name] else {
            let later = { [weak self] () -> Void in
                self?.call(message, id: id, on: stream, request, mayWait: false)
            }
            switch mayWait ? self.wait(forTool: name, id: id, on: stream, later) : .pointless {
            case .waits: return
            case .pointless: return stream.refuse(id, .unknownTool(name))
            case .full: return stream.refuse(id, .overloaded)
            }
        }
        guard session.calls[id] == nil else { return stream.refuse(id, .duplicateID) }
        guard self.callsInFlight < self.configuration.maximumInFlight else {
            return stream.refuse(id, .overloaded)
        }
        let upstream = self.upstreams[tool.upstream]
        let timeout = upstream.route.timeout(tool: tool.ownName)
        let header = JSONWriter.object { header in
            header.member("op", "call")
            header.member("rid", request.requestID)
            header.member("tmo", timeout.milliseconds)
            header.member("who", request.principal)
            header.member("sess", session.digest)
        }
        let call = Call(
            id: id, session: session, stream: stream, upstream: upstream, header: header,
            message: message.text.replacing(nameSpan, with: tool.ownNameJSON).bytes, hold: request.hold,
            timeout: timeout, mayRepeat: upstream.route.retry == .annotated && tool.hintsRepeatable
        ) { [weak self] call in
            call.session.calls[call.id] = nil
            self?.callsInFlight -= 1
        }
        session.calls[id] = call
        self.callsInFlight += 1
        if self.logger.logLevel <= .debug {
            self.logger.debug(
                "Call routed",
                metadata: [
                    "mcp.request_id": "\(request.requestID)", "mcp.session": "\(session.digest)",
                    "mcp.method": "tools/call", "mcp.tool": "\(name)", "mcp.upstream": "\(upstream.route.name)",
                ]
            )
        }
        call.start()
    }

    // MARK: initialize

    private func initialize(_ message: RPCMessage, _ request: ClientRequest) {
        guard let id = message.idBytes else { return }
        let text = message.text
        guard request.sessionID == nil else {
            return request.refuse(400, .invalidRequest("initialize opens a session and cannot be sent in one"), id: id)
        }
        guard let asked = message.param("protocolVersion").flatMap({ text[$0].string }) else {
            return request.refuse(400, .invalidParams("protocolVersion is required"), id: id)
        }
        let revision = ProtocolRevision.negotiated(for: asked)
        let client = message.param("clientInfo").flatMap { text[$0].string("name") }
        let now = WallClock.seconds()
        let claims = SessionClaims(
            number: .random(in: .min ... .max),
            revision: revision,
            capabilities: Self.capabilities(message.param("capabilities").map { text[$0] }),
            safeNames: self.configuration.showsSafeNames(to: client),
            principal: request.principal,
            created: now,
            expires: now + UInt64(max(1, self.configuration.sessionLifetime.rawValue))
        )
        guard let sessionID = self.newSession(claims) else { return request.refuse(500, .internalError, id: id) }
        self.logger.info(
            "MCP session initialized",
            metadata: [
                "mcp.request_id": "\(request.requestID)", "mcp.session": "\(SessionSeal.digest(of: sessionID))",
                "mcp.client": "\((client ?? "").prefix(64))", "mcp.version": "\(revision.name)",
            ]
        )
        request.exchange.end(
            header: JSONWriter.object {
                $0.member("st", 200); $0.member("sid", sessionID)
            },
            payload: RPCReply.result(id: id, self.initializeResult(revision))
        )
    }

    private static func capabilities(_ declared: JSONText?) -> SessionClaims.Capabilities {
        var capabilities: SessionClaims.Capabilities = []
        guard let declared else { return capabilities }
        if let sampling = declared.value("sampling") {
            capabilities.insert(.sampling)
            if sampling.member("tools") != nil { capabilities.insert(.samplingTools) }
        }
        if let elicitation = declared.value("elicitation") {
            // A bare `elicitation: {}` means forms (client/elicitation, "Capabilities").
            if elicitation.member("form") != nil || elicitation.member("url") == nil {
                capabilities.insert(.elicitationForm)
            }
            if elicitation.member("url") != nil { capabilities.insert(.elicitationURL) }
        }
        if declared.member("roots") != nil { capabilities.insert(.roots) }
        return capabilities
    }

    private func initializeResult(_ revision: ProtocolRevision) -> JSONText {
        JSONWriter.object { result in
            result.member("protocolVersion", revision.name)
            result.memberObject("capabilities") { capabilities in
                capabilities.memberObject("logging") { _ in }
                capabilities.memberObject("tools") { $0.member("listChanged", true) }
            }
            result.memberObject("serverInfo") { info in
                info.member("name", self.configuration.serverName)
                info.member("version", self.configuration.serverVersion)
            }
            result.member("instructions", ifPresent: self.configuration.instructions)
        }
    }

    // MARK: GET and DELETE

    private func get(_ request: ClientRequest) {
        guard let id = request.sessionID else { return request.refuse(400, .sessionRequired) }
        guard let claims = self.claims(of: id, principal: request.principal) else {
            return request.refuse(404, .unknownSession)
        }
        let session = self.liveSession(claims, id: id)
        if let event = request.exchange.header.string("leid"), !event.isEmpty {
            guard let (number, sequence) = ClientStream.parse(event), let stream = session.streams[number],
                stream.resume(after: sequence, on: request.exchange)
            else { return request.refuse(400, .unknownEvent) }
            return
        }
        let listening = ListeningStream(session: session, exchange: request.exchange)
        request.exchange.delegate = listening
        session.listen(listening)
        listening.open()
        if session.owesListChanged { session.toolsChanged() }
    }

    private func delete(_ request: ClientRequest) {
        guard let id = request.sessionID else { return request.refuse(400, .sessionRequired) }
        guard let claims = self.claims(of: id, principal: request.principal) else {
            return request.refuse(404, .unknownSession)
        }
        let logger = self.logger
        logger.info(
            "MCP session closed",
            metadata: ["mcp.request_id": "\(request.requestID)", "mcp.session": "\(SessionSeal.digest(of: id))"]
        )
        request.exchange.delegate = AnswerWaiter { _ in }
        self.end(claims).assumeIsolated().whenComplete { result in
            switch result {
            case .success:
                request.exchange.end(header: JSONText(literal: #"{"st":204}"#))
            case .failure(is LedgerFull):
                request.refuse(503, .ledgerFull)
            case .failure(let error):
                logger.error("Session journal cannot be written", metadata: ["error": "\(error)"])
                request.refuse(500, .internalError)
            }
        }
    }
}
