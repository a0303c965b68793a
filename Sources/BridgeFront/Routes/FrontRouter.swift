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
        router.get("/health", use: Self.serve(.health, .plain, HealthRoutes.health))
        router.get("/health/live", use: Self.serve(.live, .plain, HealthRoutes.live))
        router.get("/health/ready", use: Self.serve(.ready, .plain, HealthRoutes.ready))
        router.get("/servers", use: Self.serve(.servers, .management, needs: .mcp, ServerRoutes.list))
        router.post("/servers", use: Self.serve(.servers, .management, ServerRoutes.add))
        router.delete("/servers/:name", use: Self.serve(.server, .management, ServerRoutes.remove))
        router.get("/tools", use: Self.serve(.tools, .management, needs: .mcp, ServerRoutes.tools))
        router.get("/metrics", use: Self.serve(.metrics, .plain, needs: .mcp, MetricsRoute.metrics))
        // Added last, it is in no route's way: it answers what no route does.
        router.add(middleware: UnroutedMiddleware())
        return router.buildResponder()
    }

    /// Counts, asks for grants, and turns what a handler throws into an answer.
    ///
    /// - Parameter needs: one of these grants, or that of administration, is asked of the caller.
    static func serve(
        _ route: Route, _ dialect: Refusal.Dialect, needs: Grants = [], _ handler: @escaping Handler
    ) -> Handler {
        { request, context in
            let metrics = context.state.value.metrics
            metrics.requestsInFlight += 1
            defer { metrics.requestsInFlight -= 1 }
            let response: Response
            do {
                guard needs.isEmpty || !context.admission.grants.isDisjoint(with: needs.union(.admin)) else {
                    throw Refusal.notGranted
                }
                response = try await handler(request, context)
            } catch let refusal as Refusal {
                response = Self.refuse(refusal, dialect, context)
            }
            metrics.count(route, response.status.code)
            return response
        }
    }

    static func refuse(_ refusal: Refusal, _ dialect: Refusal.Dialect, _ context: FrontContext) -> Response {
        context.state.value.metrics.refuse(refusal.code)
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
        let refusal = allowed.map(Refusal.methodNotAllowed) ?? .notFound
        let response = FrontRouter.refuse(refusal, own == nil ? .plain : .rpc(id: nil), context)
        context.state.value.metrics.count(.other, response.status.code)
        return response
    }

    private static func allowed(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        switch parts {
        case [], ["health"], ["health", "live"], ["health", "ready"], ["tools"], ["metrics"]: return "GET, HEAD"
        case ["servers"]: return "GET, HEAD, POST"
        default: return parts.count == 2 && parts[0] == "servers" ? "DELETE" : nil
        }
    }
}
