import BridgeCore
import HTTPTypes
import Hummingbird

/// All routes, and what each asks of its caller.
enum FrontRouter {
    typealias Handler = @Sendable (Request, FrontContext) async throws -> Response

    static func make(mcpPath: String) -> RouterResponder<FrontContext> {
        let router = Router(context: FrontContext.self, options: .autoGenerateHeadEndpoints)
        let mcp = RouterPath(mcpPath)
        // Whatever the front's own path does not take of its endpoint.
        router.head(
            mcp, use: Self.serve(.mcp, .rpc(id: nil)) { _, _ in throw Refusal.methodNotAllowed(Endpoint.mcpMethods) })

        router.get("/", use: Self.serve(.root, .plain, RootRoute.root))
        // A client of Anthropic's APIs asks this before everything else, to know whether anybody is there.
        router.get("/api/hello", use: Self.serve(.root, .plain) { _, _ in Response(status: .ok) })
        router.get("/health", use: Self.serve(.health, .plain, HealthRoutes.health))
        router.get("/health/live", use: Self.serve(.live, .plain, HealthRoutes.live))
        router.get("/health/ready", use: Self.serve(.ready, .plain, HealthRoutes.ready))
        router.get(RouterPath(CallbackRoute.path), use: Self.serve(.callback, .plain, CallbackRoute.take))
        router.get(RouterPath(CallbackRoute.receiverPath), use: Self.serve(.callback, .plain, CallbackRoute.receive))
        router.get("/servers", use: Self.serve(.servers, .management, ServerRoutes.list))
        router.post("/servers", use: Self.serve(.servers, .management, ServerRoutes.add))
        router.delete("/servers/:name", use: Self.serve(.server, .management, ServerRoutes.remove))
        router.get("/tools", use: Self.serve(.tools, .management, ServerRoutes.tools))
        router.get("/metrics", use: Self.serve(.metrics, .plain, MetricsRoute.metrics))
        // Added last, it is in no route's way: it answers what no route does.
        router.add(middleware: UnroutedMiddleware())
        return router.buildResponder()
    }

    /// Counts, asks of the caller what the route needs (``Route/needs(isPost:)``), and turns what a handler throws into an answer.
    static func serve(_ route: Route, _ dialect: Refusal.Dialect, _ handler: @escaping Handler) -> Handler {
        { request, context in
            let metrics = context.state.value.metrics
            metrics.requestsInFlight += 1
            defer { metrics.requestsInFlight -= 1 }
            var counted = route
            context.audit.value.route = route
            let response: Response
            do {
                if let refusal = context.admission.refusal(for: route.needs(isPost: request.method == .post)) {
                    // What the door refuses has reached no route.
                    if context.admission.refusal != nil { counted = .other }
                    throw refusal
                }
                if let token = context.admission.token { try await Self.admit(token, context) }
                response = try await handler(request, context)
            } catch let refusal as Refusal {
                response = Self.refuse(refusal, dialect, context)
            }
            metrics.count(counted, response.status.code)
            return response
        }
    }

    /// Counts a request of a token that has limits.
    private static func admit(_ token: TokenHolder, _ context: FrontContext) async throws {
        let limits = context.state.value.limits
        let arrival = WallClock.microseconds()
        while true {
            switch limits.admit(1, token, arrival: arrival) {
            case .granted: return
            case .refused(let refusal): throw refusal
            case .waits(let turn):
                await withCheckedContinuation { waiting in turn.wait { waiting.resume() } }
                try context.demandGoodToken()
            }
        }
    }

    static func refuse(_ refusal: Refusal, _ dialect: Refusal.Dialect, _ context: FrontContext) -> Response {
        context.state.value.metrics.refuse(refusal.code)
        context.audit.value.failure = refusal.code
        context.connection.value.abandonBody(
            endsConnection: context.fields.endsConnection(refusedWith: context.fields.contentLength))
        return refusal.response(dialect)
    }
}

/// Answers what no route does: 404, or 405 where the path is known.
private struct UnroutedMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: FrontContext, next: (Request, FrontContext) async throws -> Response
    ) async throws -> Response {
        let own = context.state.value.endpoints.methods(at: request.uri.path)
        let allowed = own ?? Self.allowed(request.uri.path)
        let refusal =
            context.admission.refusal(for: Route.other.needs(isPost: request.method == .post))
            ?? allowed.map(Refusal.methodNotAllowed) ?? .notFound
        let response = FrontRouter.refuse(refusal, own == nil ? .plain : .rpc(id: nil), context)
        context.state.value.metrics.count(.other, response.status.code)
        return response
    }

    private static func allowed(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        switch parts {
        case [], ["health"], ["health", "live"], ["health", "ready"], ["tools"], ["metrics"], ["oauth", "callback"]:
            return "GET, HEAD"
        case ["servers"]: return "GET, HEAD, POST"
        default: return parts.count == 2 && parts[0] == "servers" ? "DELETE" : nil
        }
    }
}
