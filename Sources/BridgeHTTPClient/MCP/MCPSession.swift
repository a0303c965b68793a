package import BridgeCore
import BridgeMCP
package import NIOCore
package import NIOHTTP1

/// A session with an MCP server, by the handshake; one request is answered whole before its caller hears of it.
///
/// Confined to its event loop.
package final class MCPSession {
    /// The server answered, and not with a result.
    package enum Refusal: Error, Sendable, Hashable {
        case status(HTTPResponseStatus)
        /// Accepted, and no word about the request.
        case noAnswer
        /// A response without a result: by JSON-RPC an error, else `nil`s.
        case error(code: Int?, message: String?)
    }

    private let connections: HTTPConnections
    private let client: (name: String, version: String)
    private var destination: MCPDestination
    private var lastID = 0

    package init(
        to destination: MCPDestination, over connections: HTTPConnections, client: (name: String, version: String)
    ) {
        self.destination = destination
        self.connections = connections
        self.client = client
    }

    /// Shakes hands.
    ///
    /// - Returns: what the server says of itself.
    package func open() -> EventLoopFuture<JSONText> {
        let params = JSONWriter.object { params in
            params.member("protocolVersion", ProtocolRevision.newest.name)
            params.memberObject("capabilities") { _ in }
            params.memberObject("clientInfo") {
                $0.member("name", self.client.name)
                $0.member("version", self.client.version)
            }
        }
        return self.answer(to: "initialize", params).assumeIsolated().flatMapThrowing { answer in
            // From this answer only: some servers put an id that is good for nothing on others.
            self.destination.session = answer.head.headers.first(name: "Mcp-Session-Id")
            let result = try Self.result(in: answer)
            self.destination.revision = result.string("protocolVersion") ?? ProtocolRevision.newest.name
            return result
        }.flatMap { result in
            let initialized = JSONText(literal: #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            return self.connections.answer(to: self.destination.post(initialized.bytes)).assumeIsolated()
                .flatMapThrowing { try Self.check($0) }.map { result }.nonisolated()
        }.nonisolated()
    }

    /// Sends a request and returns its result.
    package func request(_ method: String, _ params: JSONText) -> EventLoopFuture<JSONText> {
        self.answer(to: method, params).flatMapThrowing { try Self.result(in: $0) }
    }

    /// Tells the server that the session is over. It may not care.
    package func end() -> EventLoopFuture<Void> {
        guard self.destination.session != nil else { return self.connections.loop.makeSucceededVoidFuture() }
        var request = self.destination.delete()
        request.limits.total = .seconds(5)
        self.destination.session = nil
        return self.connections.reply(to: request, maximumBody: 1 << 16).map { _ in }.recover { _ in }
    }

    private func answer(to method: String, _ params: JSONText) -> EventLoopFuture<MCPAnswer> {
        self.lastID += 1
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("id", self.lastID)
            message.member("method", method)
            message.member("params", params)
        }
        return self.connections.answer(to: self.destination.post(message.bytes))
    }

    /// Whether the server has taken it. A body says more than a status does.
    private static func check(_ answer: MCPAnswer) throws {
        if answer.message == nil, answer.head.status.code >= 300 { throw Refusal.status(answer.head.status) }
    }

    private static func result(in answer: MCPAnswer) throws -> JSONText {
        try self.check(answer)
        guard let message = answer.message else { throw Refusal.noAnswer }
        let reply = try JSONText(validating: message)
        if let result = reply.value("result") { return result }
        let error = reply.value("error")
        throw Refusal.error(code: error?.int("code"), message: error?.string("message"))
    }
}
