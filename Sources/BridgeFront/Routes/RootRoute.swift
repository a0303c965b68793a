import BridgeConfiguration
import BridgeCore
import Hummingbird

/// `GET /`: where everything is.
enum RootRoute {
    static func root(_ request: Request, _ context: FrontContext) async throws -> Response {
        let configuration = context.state.value.configuration
        let base = configuration.publicURL ?? "http://\(request.head.authority ?? "localhost")"
        let body = JSONWriter.object { body in
            body.member("ok", true)
            body.member("service", configuration.publicName)
            body.member("version", configuration.version)
            body.member("mcp", base + configuration.mcpPath)
            body.member("health", base + "/health")
        }
        return .json(body.bytes)
    }
}
