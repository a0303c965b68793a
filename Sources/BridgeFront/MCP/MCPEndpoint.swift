import BridgeConfiguration
import BridgeCore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The MCP endpoint: Streamable HTTP for clients of the handshake era (2024-11-05 to 2025-11-25).
enum MCPEndpoint {
    static let allow = "GET, POST, DELETE"

    /// One JSON-RPC message, or a batch. The session worker's first word decides between JSON and an event stream.
    static func post(_ request: Request, _ context: FrontContext) async throws -> Response {
        let state = context.state.value
        let limit = state.configuration.limits.maximumBodyBytes
        if let refusal = TransportRules.checkPost(context.fields, limit: limit) { throw refusal }
        let collected = try await request.collect(limit: limit, context)
        let body = try PostBody.read(collected.bytes, limit: limit).get()
        let id = state.nextRequestID()
        let record = CallRecord(id: id, method: body.method, session: context.fields.sessionID)
        let header = SessionHeaders.post(
            id, context.fields, principal: context.admission.principal, names: Self.names(request),
            isLogged: state.logger.logLevel <= .debug
        )
        let post = SessionCall.Post(body: collected, mayBeRepeated: body.mayBeRepeated)
        let call = SessionCall(state, context.connection.value, header: header, post: post)
        return try await Self.answer(call, record, context, body: body)
    }

    /// Opens the stream on which the server speaks unasked, or takes up one that was cut (`Last-Event-ID`).
    static func get(_ request: Request, _ context: FrontContext) async throws -> Response {
        let state = context.state.value
        if let refusal = TransportRules.checkGet(context.fields) { throw refusal }
        guard !state.table.isDraining else { throw Refusal.draining }
        let id = state.nextRequestID()
        let record = CallRecord(id: id, method: "GET", session: context.fields.sessionID, isLong: true)
        let header = SessionHeaders.get(
            id, context.fields, principal: context.admission.principal, isLogged: state.logger.logLevel <= .debug
        )
        let call = SessionCall(state, context.connection.value, header: header, wantsDraining: true)
        return try await Self.answer(call, record, context)
    }

    /// Ends a session.
    static func delete(_ request: Request, _ context: FrontContext) async throws -> Response {
        let state = context.state.value
        if let refusal = TransportRules.checkDelete(context.fields) { throw refusal }
        let id = state.nextRequestID()
        let record = CallRecord(id: id, method: "DELETE", session: context.fields.sessionID)
        let header = SessionHeaders.delete(id, context.fields, principal: context.admission.principal)
        let call = SessionCall(state, context.connection.value, header: header)
        return try await Self.answer(call, record, context)
    }

    // MARK: Answers

    private static func answer(
        _ call: SessionCall, _ record: CallRecord, _ context: FrontContext, body: PostBody? = nil
    ) async throws -> Response {
        let logger = context.state.value.logger
        do {
            switch try await call.firstAnswer() {
            case .plain(let header, let payload):
                let response = Self.plain(header, payload, context)
                record.finish(logger, status: response.status, failure: header.string("err"))
                return response
            case .stream(let header, let payload):
                return Self.stream(header, payload, call, record, context, body: body)
            }
        } catch let refusal as Refusal {
            record.finish(logger, status: refusal.status, failure: refusal.code)
            if let body, refusal == .outcomeUnknown { return Self.outcomeUnknown(body) }
            throw PostRefusal(refusal, id: body?.id)
        } catch {
            record.finish(logger, status: Self.clientClosed, failure: "client_gone")
            throw error
        }
    }

    /// nginx's word for a client that did not wait; it is logged and never sent.
    private static let clientClosed = HTTPResponse.Status(code: 499, reasonPhrase: "Client Closed Request")

    private static let sessionID = HTTPField.Name("Mcp-Session-Id")

    private static func plain(_ header: JSONText, _ payload: ByteBuffer?, _ context: FrontContext) -> Response {
        var fields = HTTPFields()
        if payload != nil { fields.append(.json) }
        if let name = Self.sessionID, let session = header.string("sid") {
            fields.append(HTTPField(name: name, value: session))
        }
        let status = Self.status(header.int("st"))
        guard let payload, payload.readableBytes >= PayloadBudget.smallest else {
            return Response(status: status, headers: fields, body: ResponseBody(byteBuffer: payload ?? ByteBuffer()))
        }
        return Response(status: status, headers: fields, body: Self.large(payload, context))
    }

    /// A body that is accounted for while the answer before it, on the same connection, is still being read.
    private static func large(_ payload: ByteBuffer, _ context: FrontContext) -> ResponseBody {
        let connection = context.connection
        return ResponseBody(contentLength: payload.readableBytes) { writer in
            connection.value.payloads.holdNext(payload.readableBytes)
            defer { connection.value.payloads.releaseNext() }
            try await writer.write(payload)
            try await writer.finish(nil)
        }
    }

    private static func status(_ code: Int?) -> HTTPResponse.Status {
        switch code {
        case nil, 200: .ok
        case 202: .accepted
        case let code? where (200...599).contains(code): HTTPResponse.Status(code: code)
        default: .internalServerError
        }
    }

    /// Every request in the body gets its error, in the body's own form.
    private static func outcomeUnknown(_ body: PostBody) -> Response {
        let refusal = Refusal.outcomeUnknown
        guard body.isBatch else { return refusal.response(.rpc(id: body.id)) }
        let errors = JSONWriter.array { array in
            for id in body.requestIDs { array.element(JSONText(trusting: refusal.body(.rpc(id: id.bytes)))) }
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: .init(byteBuffer: errors.bytes))
    }

    private static func stream(
        _ header: JSONText, _ payload: ByteBuffer?, _ call: SessionCall, _ record: CallRecord, _ context: FrontContext,
        body: PostBody?
    ) -> Response {
        let state = context.state
        let keepAlive = state.value.configuration.keepAliveInterval.timeAmount
        let feed = NIOLoopBound(call.feed, eventLoop: state.eventLoop)
        let pump = NIOLoopBound(
            EventStreamPump(
                call.feed, payloads: context.connection.value.payloads, keepAlive: keepAlive, body: body),
            eventLoop: state.eventLoop)
        state.value.metrics.openStreams += 1
        let stream = ResponseBody { writer in
            defer { state.value.metrics.openStreams -= 1 }
            do {
                let outcome = try await pump.value.run(first: (header, payload), to: &writer)
                record.finish(state.value.logger, status: .ok, failure: Self.failure(outcome))
            } catch {
                feed.value.clientGone()
                record.finish(state.value.logger, status: .ok, failure: body == nil ? nil : "client_gone")
                throw error
            }
        }
        return Response(status: .ok, headers: EventStream.fields, body: stream)
    }

    private static func failure(_ outcome: EventStreamPump.Outcome) -> String? {
        switch outcome {
        case .ended, .drained: nil
        case .clientGone: "client_gone"
        case .lost: Refusal.outcomeUnknown.code
        }
    }

    /// `?names=safe`, for a client that has nothing but an address to say it with.
    private static func names(_ request: Request) -> String? {
        guard let query = request.uri.query else { return nil }
        for pair in query.split(separator: "&") {
            guard pair.hasPrefix("names="), let style = NameStyle(rawValue: String(pair.dropFirst(6))) else { continue }
            return style.rawValue
        }
        return nil
    }
}
