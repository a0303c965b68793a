package import BridgeCore
import BridgeMCP
package import NIOCore
package import NIOHTTP1

/// Hears of what a server says to its client in the middle of a request, or by itself. On the event loop.
package protocol MCPSessionDelegate: AnyObject {
    /// A request is answered by ``MCPSession/answer(_:with:)`` or ``MCPSession/refuse(_:code:_:)``, some time.
    func received(_ message: RPCMessage, of session: MCPSession)
}

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
        case error(code: Int?, message: String?, data: JSONText? = nil)
    }

    /// Hears what else is said. Without one nothing is; requests that nobody hears of are refused.
    package weak var delegate: (any MCPSessionDelegate)?

    private let connections: HTTPConnections
    private let client: (name: String, version: String)
    private var destination: MCPDestination
    private var lastID = 0
    private var listening: MCPListening?

    package init(
        to destination: MCPDestination, over connections: HTTPConnections, client: (name: String, version: String)
    ) {
        self.destination = destination
        self.connections = connections
        self.client = client
    }

    /// Shakes hands.
    ///
    /// - Parameter capabilities: what the client can be asked.
    /// - Returns: what the server says of itself.
    package func open(capabilities: JSONText = .emptyObject) -> EventLoopFuture<JSONText> {
        let params = JSONWriter.object { params in
            params.member("protocolVersion", ProtocolRevision.newest.name)
            params.member("capabilities", capabilities)
            params.memberObject("clientInfo") {
                $0.member("name", self.client.name)
                $0.member("version", self.client.version)
            }
        }
        return self.ask("initialize", params).answer.assumeIsolated().flatMapThrowing { answer in
            // From this answer only: some servers put an id that is good for nothing on others.
            self.destination.session = answer.head.headers.first(name: "Mcp-Session-Id")
            let result = try Self.result(in: answer)
            self.destination.revision = result.string("protocolVersion") ?? ProtocolRevision.newest.name
            return result
        }.flatMap { result in
            let initialized = JSONText(literal: #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            return self.post(initialized.bytes, answers: 0).assumeIsolated()
                .flatMapThrowing { try Self.check($0) }.map { result }.nonisolated()
        }.nonisolated()
    }

    /// Sends a request and returns its result.
    package func request(_ method: String, _ params: JSONText) -> EventLoopFuture<JSONText> {
        self.begin(method, params).result
    }

    /// Sends a request.
    ///
    /// - Returns: its id, by which it can be cancelled, and its result when that has come.
    package func begin(_ method: String, _ params: JSONText) -> (id: Int, result: EventLoopFuture<JSONText>) {
        let (id, answer) = self.ask(method, params)
        return (id, answer.flatMapThrowing { try Self.result(in: $0) })
    }

    /// Sends a notification, and waits until the server has taken it.
    package func notify(_ method: String, _ params: JSONText) -> EventLoopFuture<Void> {
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("method", method)
            message.member("params", params)
        }
        return self.post(message.bytes, answers: 0).flatMapThrowing { try Self.check($0) }
    }

    /// Answers a request of the server.
    package func answer(_ id: RPCID, with result: JSONText) -> EventLoopFuture<Void> {
        self.post(RPCReply.result(id: id.bytes, result), answers: 0).flatMapThrowing { try Self.check($0) }
    }

    /// Answers a request of the server with an error.
    package func refuse(_ id: RPCID, code: Int, _ message: String) -> EventLoopFuture<Void> {
        self.post(RPCReply.error(id: id.bytes, code: code, message: message), answers: 0)
            .flatMapThrowing { try Self.check($0) }
    }

    /// Hears what the server says outside of any request, from now on.
    package func listen() {
        guard self.listening == nil else { return }
        let listening = MCPListening(to: self.destination, over: self.connections, self)
        self.listening = listening
        listening.start()
    }

    /// Tells the server that the session is over. It may not care.
    package func end() -> EventLoopFuture<Void> {
        self.listening?.cancel()
        self.listening = nil
        guard self.destination.session != nil else { return self.connections.loop.makeSucceededVoidFuture() }
        var request = self.destination.delete()
        request.limits.total = .seconds(5)
        self.destination.session = nil
        return self.connections.reply(to: request, maximumBody: 1 << 16).map { _ in }.recover { _ in }
    }

    private func ask(_ method: String, _ params: JSONText) -> (id: Int, answer: EventLoopFuture<MCPAnswer>) {
        self.lastID += 1
        let message = JSONWriter.object { message in
            message.member("jsonrpc", "2.0")
            message.member("id", self.lastID)
            message.member("method", method)
            message.member("params", params)
        }
        return (self.lastID, self.post(message.bytes, answers: 1))
    }

    private func post(_ message: ByteBuffer, answers: Int) -> EventLoopFuture<MCPAnswer> {
        let waiting = AnswerWaiting(loop: self.connections.loop) { [weak self] in self?.heard($0) }
        _ = self.connections.exchange(message, with: self.destination, answers: answers, waiting)
        return waiting.promise.futureResult
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
        throw Refusal.error(code: error?.int("code"), message: error?.string("message"), data: error?.value("data"))
    }
}

extension MCPSession: MCPListeningDelegate {
    package func received(_ message: JSONText, of listening: MCPListening) { self.heard(message) }
    package func ended(_ listening: MCPListening, status: HTTPResponseStatus) {}
    package func opened(_ listening: MCPListening) {}
    package func lost(_ listening: MCPListening, _ failure: HTTPFailure?) {}

    /// Something that is no answer to a request of ours.
    private func heard(_ text: JSONText) {
        guard let message = try? RPCMessage(text) else { return }
        switch (message.shape, message.rpcID) {
        case (.request, let id?) where message.method == "ping": _ = self.answer(id, with: .emptyObject)
        case (.request, let id?) where self.delegate == nil:
            _ = self.refuse(id, code: -32601, "Method not found: \(message.method ?? "")")
        case (.request, _), (.notification, _): self.delegate?.received(message, of: self)
        case (.result, _), (.error, _): break
        }
    }
}

/// Keeps the answer to one message; what else comes for it is somebody else's.
private final class AnswerWaiting: MCPExchangeDelegate {
    let promise: EventLoopPromise<MCPAnswer>
    private let heard: (JSONText) -> Void
    private var head: HTTPResponseHead?
    private var response: ByteBuffer?

    init(loop: any EventLoop, _ heard: @escaping (JSONText) -> Void) {
        self.promise = loop.makePromise()
        self.heard = heard
    }

    func received(_ head: HTTPResponseHead, of exchange: MCPExchange) { self.head = head }

    func received(_ message: JSONText, of exchange: MCPExchange) {
        if message.member("method") == nil { self.response = message.bytes } else { self.heard(message) }
    }

    func ended(_ exchange: MCPExchange, _ end: MCPExchange.End) {
        switch end {
        case .failed(let failure): self.promise.fail(failure)
        case .refused(let head, let body):
            let text = body.flatMap { $0.readableBytes > 0 ? $0 : nil }
            self.promise.succeed(MCPAnswer(head: head, message: text))
        case .answered, .unanswered:
            guard let head = self.head else { return self.promise.fail(HTTPFailure(.closed, mayHaveRun: true)) }
            self.promise.succeed(MCPAnswer(head: head, message: self.response))
        }
    }
}
