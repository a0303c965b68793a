import BridgeCore
import BridgeMCP
import NIOCore
import NIOHTTP1

/// What one kind of API on the front's own path has of its own: what it asks of a request, and how it speaks.
///
/// The machine behind it is the same for all: see ``OwnRequest`` and ``ResponseMachine``.
struct Endpoint: Sendable {
    typealias Operation = SessionRequest.Operation

    /// What metrics count its requests as.
    let route: Route
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
    /// A refusal of all that is in a body: every request in it gets its error, in the body's own form.
    let refusalOfEach: @Sendable (Refusal, PostBody?) -> ByteBuffer
    /// Appends one message of a stream.
    let event: @Sendable (_ message: ByteBuffer, _ id: String?, inout ByteBuffer) -> Void
    /// Whether it is of HTTP+SSE: what is asked with POST is answered on the stream that a GET opened.
    var isStreamed = false
}

extension Endpoint {
    /// Streamable HTTP for clients of the handshake era (2024-11-05 to 2025-11-25): one JSON-RPC message, or a batch. The
    /// session worker's first word decides between JSON and an event stream.
    static let mcp = Endpoint(
        route: .mcp,
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
            case .sse, .tools, .counts, .over: nil
            }
        },
        read: { bytes, limit in PostBody.read(bytes, limit: limit) },
        refusal: { refusal, id in refusal.body(.rpc(id: id)) },
        unreadableID: TransportRules.unreadableID,
        refusalOfEach: Endpoint.refusalOfEach,
        event: { message, id, buffer in EventStream.write(message: message, id: id, to: &buffer) }
    )

    /// HTTP+SSE (2024-11-05): the stream on which everything is told, for as long as its session lasts.
    static let sse = Endpoint(
        route: .sse,
        operation: { $0 == .GET ? .sse : nil },
        check: { _, fields, _ in TransportRules.checkStream(fields) },
        read: { bytes, limit in PostBody.read(bytes, limit: limit) },
        refusal: { refusal, id in refusal.body(.rpc(id: id)) },
        unreadableID: { _ in nil },
        refusalOfEach: Endpoint.refusalOfEach,
        event: { message, id, buffer in EventStream.write(message: message, id: id, to: &buffer) },
        isStreamed: true
    )

    /// HTTP+SSE: where its clients say everything. The answer is no more than that it has been accepted.
    static let messages = Endpoint(
        route: .messages,
        operation: { $0 == .POST ? .post : nil },
        check: { _, fields, limit in TransportRules.checkMessage(fields, limit: limit) },
        read: { bytes, limit in PostBody.read(bytes, limit: limit) },
        refusal: { refusal, id in refusal.body(.rpc(id: id)) },
        unreadableID: { _ in ProtocolRevision.v2024_11_05.unreadableID },
        refusalOfEach: Endpoint.refusalOfEach,
        event: { message, id, buffer in EventStream.write(message: message, id: id, to: &buffer) },
        isStreamed: true
    )

    /// The methods of the MCP endpoint.
    static let mcpMethods = "GET, POST, DELETE"

    @Sendable private static func refusalOfEach(_ refusal: Refusal, _ body: PostBody?) -> ByteBuffer {
        guard let body, body.isBatch else { return refusal.body(.rpc(id: body?.id)) }
        return JSONWriter.array { array in
            for id in body.requestIDs { array.element(JSONText(trusting: refusal.body(.rpc(id: id.bytes)))) }
        }.bytes
    }
}

/// Which requests the front's own path takes.
struct EndpointTable: Sendable {
    private let mcpPath: String
    private var streamed: StreamedPaths

    /// - Parameter publicURL: its path is where the paths of HTTP+SSE are found, too.
    init(mcpPath: String, publicURL: String? = nil) {
        self.mcpPath = mcpPath
        self.streamed = StreamedPaths(publicURL: publicURL)
    }

    /// The MCP path is that of the start.
    mutating func reconfigure(publicURL: String?) { self.streamed = StreamedPaths(publicURL: publicURL) }

    func endpoint(_ method: HTTPMethod, _ target: String) -> (endpoint: Endpoint, operation: Endpoint.Operation)? {
        if target != self.mcpPath, let kind = self.streamed.kind(of: target) {
            let endpoint = kind == .stream ? Endpoint.sse : Endpoint.messages
            return endpoint.operation(method).map { (endpoint, $0) }
        }
        guard self.isMCP(target), let operation = Endpoint.mcp.operation(method) else { return nil }
        return (Endpoint.mcp, operation)
    }

    /// What a path asks of the model APIs; `nil` for any other path.
    func chat(_ target: String) -> ChatTarget? {
        if let known = ChatTarget.known[target] { return known }
        guard target.utf8.first == UInt8(ascii: "/"), !self.isMCP(target), self.streamed.kind(of: target) == nil else {
            return nil
        }
        return ChatTarget(self.streamed.own(target))
    }

    /// What is allowed at a path of the front's own path, for a method that is not; `nil` for any other path.
    func methods(at target: String) -> String? {
        if target != self.mcpPath, let kind = self.streamed.kind(of: target) { return kind == .stream ? "GET" : "POST" }
        return self.isMCP(target) ? Endpoint.mcpMethods : nil
    }

    /// The path at which a session of HTTP+SSE takes messages.
    ///
    /// - Parameter prefix: where a proxy that is believed says that it has us.
    func messages(of session: String, below prefix: String?) -> String {
        self.streamed.messages(of: session, below: prefix)
    }

    /// Whether a path is the MCP endpoint's, by the rule of the router: empty segments do not count.
    func isMCP(_ target: String) -> Bool {
        if target == self.mcpPath { return true }
        guard target.utf8.first == UInt8(ascii: "/") else { return false }
        return target.prefix { $0 != "?" }.split(separator: "/") == self.mcpPath.split(separator: "/")
    }
}
