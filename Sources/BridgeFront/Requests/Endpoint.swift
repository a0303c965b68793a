import BridgeCore
import NIOCore
import NIOHTTP1

/// What one kind of API on the front's own path has of its own: what it asks of a request, and how it speaks.
///
/// The machine behind it is the same for all: see ``OwnRequest`` and ``ResponseMachine``.
struct Endpoint: Sendable {
    typealias Operation = SessionRequest.Operation

    /// What metrics count its requests as.
    let route: Route
    /// One of these grants, or that of administration, is asked of the caller.
    let needs: Grants
    /// What a method means here; `nil` leaves it to the router.
    let operation: @Sendable (HTTPMethod) -> Operation?
    /// What is asked of a request's head.
    let check: @Sendable (Operation, RequestFields, _ bodyLimit: Int) -> Refusal?
    /// What is asked of its body.
    let read: @Sendable (ByteBuffer, _ limit: Int) -> Result<PostBody, PostRefusal>
    /// A refusal's body. The id is that of the request, where it is known.
    let refusal: @Sendable (Refusal, _ id: ByteBuffer?) -> ByteBuffer
    /// What takes the id's place when the body has been read and shows none.
    let unreadableID: @Sendable (RequestFields) -> ByteBuffer?
    /// The answer to what a worker had when it died: every request in the body gets its error, in the body's own form.
    let lost: @Sendable (PostBody?) -> ByteBuffer
    /// Appends one message of a stream.
    let event: @Sendable (_ message: ByteBuffer, _ id: String?, inout ByteBuffer) -> Void
}

extension Endpoint {
    /// Streamable HTTP for clients of the handshake era (2024-11-05 to 2025-11-25): one JSON-RPC message, or a batch. The
    /// session worker's first word decides between JSON and an event stream.
    static let mcp = Endpoint(
        route: .mcp, needs: .mcp,
        operation: { method in
            switch method {
            case .POST: .post
            case .GET: .get
            case .DELETE: .delete
            default: nil
            }
        },
        check: { operation, fields, limit in
            switch operation {
            case .post: TransportRules.checkPost(fields, limit: limit)
            case .get: TransportRules.checkGet(fields)
            case .delete: TransportRules.checkDelete(fields)
            case .sse, .tools: nil
            }
        },
        read: { bytes, limit in PostBody.read(bytes, limit: limit) },
        refusal: { refusal, id in refusal.body(.rpc(id: id)) },
        unreadableID: TransportRules.unreadableID,
        lost: { body in
            guard let body, body.isBatch else { return Refusal.outcomeUnknown.body(.rpc(id: body?.id)) }
            return JSONWriter.array { array in
                for id in body.requestIDs {
                    array.element(JSONText(trusting: Refusal.outcomeUnknown.body(.rpc(id: id.bytes))))
                }
            }.bytes
        },
        event: { message, id, buffer in EventStream.write(message: message, id: id, to: &buffer) }
    )

    /// The methods of the MCP endpoint.
    static let mcpMethods = "GET, POST, DELETE"
}

/// Which requests the front's own path takes.
struct EndpointTable: Sendable {
    private let mcpPath: String

    init(mcpPath: String) { self.mcpPath = mcpPath }

    func endpoint(_ method: HTTPMethod, _ target: String) -> (endpoint: Endpoint, operation: Endpoint.Operation)? {
        guard self.isMCP(target), let operation = Endpoint.mcp.operation(method) else { return nil }
        return (Endpoint.mcp, operation)
    }

    /// Whether a path is the MCP endpoint's, by the rule of the router: empty segments do not count.
    func isMCP(_ target: String) -> Bool {
        if target == self.mcpPath { return true }
        guard target.utf8.first == UInt8(ascii: "/") else { return false }
        return target.prefix { $0 != "?" }.split(separator: "/") == self.mcpPath.split(separator: "/")
    }
}
