import BridgeCore
import BridgeMCP

/// What the bridge answers by itself. One more method of this kind is its row in ``MethodTable``, a row here, and a function.
enum BridgeMethods {
    /// What an answer may need beside the request.
    struct Context {
        let sessions: SessionStore
        /// The session that the request came in.
        let identity: SessionIdentity
    }

    typealias Answer = @Sendable (PendingRequest, Context) -> Void

    static let all: [String: Answer] = [
        "initialize": { request, _ in request.refuse(.invalidRequest("The session is initialized already")) },
        "ping": { request, _ in request.succeed() },
        "logging/setLevel": Self.setLevel,
    ]

    private static func setLevel(_ request: PendingRequest, _ context: Context) {
        let text = request.message.param("level").flatMap { request.message.text[$0].string }
        guard let level = text.flatMap(LogSeverity.init(rawValue:)) else {
            return request.refuse(.invalidParams("level is not a log level"))
        }
        do {
            try context.sessions.set(level, of: context.identity)
            request.succeed()
        } catch {
            request.refuse(.ledgerFull)
        }
    }
}
