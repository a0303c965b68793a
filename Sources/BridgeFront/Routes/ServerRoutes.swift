import BridgeConfiguration
import BridgeCore
import HTTPTypes
import Hummingbird
import NIOCore

/// `GET` and `POST /servers`, `DELETE /servers/{name}` and `GET /tools`: what the service runs, and changing it.
enum ServerRoutes {
    static func list(_ request: Request, _ context: FrontContext) async throws -> Response {
        try await Self.ask(.servers, within: ControlCall.readingTime, context)
    }

    /// `{"mcpServers":{…}}`. What it may hold is the supervisor's to judge; that it is JSON is checked here.
    static func add(_ request: Request, _ context: FrontContext) async throws -> Response {
        try Self.demandAdministrator(context)
        guard TransportRules.isJSON(context.fields.contentType) else { throw Refusal.unsupportedMediaType }
        guard !context.fields.hasContentCoding else { throw Refusal.contentCodingUnknown }
        let limit = context.state.value.configuration.limits.maximumBodyBytes
        let body = try await request.collect(limit: limit, context)
        let text: JSONText
        do {
            text = try JSONText(validating: body.bytes, limits: JSONLimits(maximumBytes: limit))
        } catch {
            throw Refusal(ToldFault(.parseError, message: "Invalid JSON payload: \(error)."))
        }
        context.audit.value.requestBytes = body.bytes.readableBytes
        context.audit.value.subject = Self.names(in: text)
        return try await Self.ask(.addServers, text.bytes, within: ControlCall.changingTime, context)
    }

    static func remove(_ request: Request, _ context: FrontContext) async throws -> Response {
        try Self.demandAdministrator(context)
        guard let name = context.parameters.get("name").flatMap(PercentCoding.decode) else {
            throw Refusal.badRequest("The server's name is not valid.")
        }
        context.audit.value.subject = AuditSubject.printable(name)
        return try await Self.ask(.removeServer(name: name), within: ControlCall.changingTime, context)
    }

    static func tools(_ request: Request, _ context: FrontContext) async throws -> Response {
        let answer = try await SessionQuestion.ask(.tools, context)
        context.audit.value.note(status: answer.status)
        return .json(answer.body, status: Self.status(answer.status))
    }

    /// Of the servers that are to be added, for the audit.
    private static func names(in text: JSONText) -> String? {
        guard let servers = text.value("mcpServers") ?? text.value("servers") else { return nil }
        var names: [String] = []
        servers.members { name, _ in if names.count < AuditSubject.limit { names.append(name.string) } }
        return names.isEmpty ? nil : AuditSubject.printable(names.joined(separator: ", "))
    }

    private static func demandAdministrator(_ context: FrontContext) throws {
        guard context.admission.mayAdminister else { throw Refusal.adminRequired }
    }

    private static func ask(
        _ request: ControlRequest, _ payload: ByteBuffer? = nil, within time: TimeAmount, _ context: FrontContext
    ) async throws -> Response {
        let answer = try await ControlCall.ask(request, payload, within: time, context)
        context.audit.value.note(status: answer.status)
        return .json(answer.body, status: Self.status(answer.status))
    }

    private static func status(_ code: Int) -> HTTPResponse.Status {
        (200...599).contains(code) ? HTTPResponse.Status(code: code) : .internalServerError
    }
}
