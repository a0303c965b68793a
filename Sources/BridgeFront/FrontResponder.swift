import BridgeConfiguration
import BridgeCore
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// Answers what is the router's: the door first, then the router.
struct FrontResponder: Sendable {
    private let state: NIOLoopBound<FrontState>
    private let router: RouterResponder<FrontContext>
    private let logger: Logger

    /// Call it on the event loop.
    init(_ state: FrontState) {
        self.state = NIOLoopBound(state, eventLoop: state.loop)
        self.router = FrontRouter.make(mcpPath: state.configuration.mcpPath)
        self.logger = state.logger
    }

    /// Runs on the event loop.
    ///
    /// - Throws: when the connection is of no further use; it is closed then.
    func respond(
        to request: Request, on connection: NIOLoopBound<ClientConnection>, _ writer: consuming ResponseWriter
    ) async throws {
        let incoming = connection.value.incoming
        let fields = incoming.fields
        let dialect = self.dialect(of: incoming.line.target)
        var response: Response
        let origin: String?
        let tokens = self.state.value.tokens
        let audit = NIOLoopBound(
            RoutedAudit(self.state.value, method: request.method.rawValue), eventLoop: self.state.value.loop)
        var admitted: FrontDoor.Admission?
        // Whoever was let in where browsers come back to has no business with anything else.
        let isAstray = connection.value.door == .receiver && request.uri.path != CallbackRoute.receiverPath
        switch self.state.value.door.verdict(incoming.line, fields, from: connection.value.caller, tokens: tokens) {
        case .admitted where isAstray, .refused where isAstray:
            origin = nil
            response = Refusal.notFound.response(.plain)
            self.state.value.metrics.count(.other, 404)
        case .admitted(let admission):
            origin = admission.origin
            admitted = admission
            response = try await self.route(request, connection, fields, admission, audit)
            self.state.value.limits.fields(for: admission.token)?.forEach { name, value in
                if let name = HTTPField.Name(name) { response.headers[name] = value }
            }
        case .refused(let refusal, let asking) where refusal.isAboutToken:
            // There are routes that have something to say even to a stranger.
            origin = asking
            response = try await self.route(request, connection, fields, .stranger(refusal, origin: asking), audit)
        case .preflight(let asking):
            origin = asking
            response = Response(status: .noContent)
            self.state.value.metrics.count(.other, 204)
        case .refused(let refusal, let asking):
            origin = asking
            response = refusal.response(dialect)
            audit.value.failure = refusal.code
            self.state.value.metrics.refuse(refusal.code)
            self.state.value.metrics.count(.other, refusal.status)
            connection.value.abandonBody(endsConnection: fields.endsConnection(refusedWith: fields.contentLength))
        }
        if let origin {
            Self.allow(origin, &response)
            if request.method == .options, let wanted = fields.wantedHeaders, let path = incoming.line.target.path,
                self.state.value.endpoints.chat(path) != nil
            {
                Self.allowHeaders(wanted, &response)
            }
        }
        if request.method == .head { response = response.createHeadResponse() }
        if request.method != .options {
            audit.value.record(admitted, status: response.status.code, responseBytes: response.body.contentLength ?? 0)
        }
        try await writer.write(response: response.head, body: response.body)
    }

    private func route(
        _ request: Request, _ connection: NIOLoopBound<ClientConnection>, _ fields: RequestFields,
        _ admission: FrontDoor.Admission, _ audit: NIOLoopBound<RoutedAudit>
    ) async throws -> Response {
        let context = FrontContext(
            source: FrontContext.Source(
                logger: self.logger, state: self.state, connection: connection, fields: fields, admission: admission,
                audit: audit
            )
        )
        do {
            return try await self.router.respond(to: request, context: context)
        } catch let error as ClientGone {
            audit.value.failure = FrontRequest.gone
            audit.value.record(admission, status: FrontRequest.clientClosed, responseBytes: 0)
            throw error
        } catch {
            guard !connection.value.isGone else { throw error }
            self.logger.error("Request failed", metadata: ["error": "\(error)"])
            return FrontRouter.refuse(.internalError, self.dialect(of: .path(request.uri.string)), context)
        }
    }

    /// Callers of MCP's endpoints read JSON-RPC; all others plain JSON.
    private func dialect(of target: RequestTarget) -> Refusal.Dialect {
        target.path.flatMap(self.state.value.endpoints.methods) != nil ? .rpc(id: nil) : .plain
    }

    /// SDKs of the model APIs send a dozen headers of their own, other ones with each version. None of them grants anything.
    private static func allowHeaders(_ wanted: String, _ response: inout Response) {
        response.headers[.accessControlAllowHeaders] = wanted
        response.headers[.accessControlMaxAge] = "7200"
    }

    private static func allow(_ origin: String, _ response: inout Response) {
        var headers = HTTPHeaders()
        CORS.append(to: &headers, origin: origin)
        response.headers.append(contentsOf: HTTPFields(headers, splitCookie: false))
    }
}
