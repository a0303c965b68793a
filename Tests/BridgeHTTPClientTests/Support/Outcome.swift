import BridgeCore
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import BridgeHTTPClient

/// What a delegate heard of one transfer.
struct Outcome: Sendable {
    var head: HTTPResponseHead?
    var pieces = 0
    var body = ByteBuffer()
    var events: [ServerSentEvent] = []
    var failure: HTTPFailure?
    var lastEventID: String?
    var retry: Int?

    var status: UInt? { self.head?.status.code }
    var text: String { String(buffer: self.body) }
    var data: [String?] { self.events.map { $0.data.map { String(buffer: $0) } } }
}

/// Runs `body` with connections that are closed behind it.
@discardableResult
func connected<Value>(
    _ settings: HTTPConnectionSettings = HTTPConnectionSettings(),
    _ body: (HTTPConnections) async throws -> Value
) async throws -> Value {
    var settings = settings
    settings.isDirect = Way.isDirect
    let connections = HTTPConnections(on: MultiThreadedEventLoopGroup.singleton.next(), settings: settings)
    do {
        let value = try await body(connections)
        try await connections.shutdown().get()
        return value
    } catch {
        try? await connections.shutdown().get()
        throw error
    }
}

extension HTTPConnections {
    /// Sends a request and waits for its end.
    ///
    /// - Parameter onHead: called on the loop.
    func outcome(
        of request: HTTPRequest, onHead: @escaping @Sendable (HTTPTransfer) -> Void = { _ in }
    ) async throws -> Outcome {
        try await self.loop.flatSubmit {
            let recorder = Recorder(loop: self.loop, onHead: onHead)
            _ = self.send(request, to: recorder)
            #expect(!recorder.isOver)
            return recorder.promise.futureResult
        }.get()
    }

    /// Sends a request over connections of its own, ends all of those in the same turn, and waits for both ends.
    static func outcomeOfEndingAtOnce(_ request: HTTPRequest) async throws -> Outcome {
        var settings = HTTPConnectionSettings()
        settings.isDirect = Way.isDirect
        let connections = HTTPConnections(on: MultiThreadedEventLoopGroup.singleton.next(), settings: settings)
        return try await connections.loop.flatSubmit {
            let recorder = Recorder(loop: connections.loop) { _ in }
            let outcome = recorder.promise.futureResult
            _ = connections.send(request, to: recorder)
            return connections.shutdown().flatMap { outcome }
        }.get()
    }

    /// The same for a request of MCP.
    func outcome(ofMCP request: HTTPRequest, maximumMessage: Int = 1 << 20) async throws -> Outcome {
        try await self.loop.flatSubmit {
            let recorder = MCPRecorder(loop: self.loop)
            _ = self.send(request, maximumMessage: maximumMessage, to: recorder)
            return recorder.promise.futureResult
        }.get()
    }
}

private final class Recorder: HTTPTransferDelegate {
    let promise: EventLoopPromise<Outcome>
    private(set) var isOver = false
    private var outcome = Outcome()
    private let onHead: (HTTPTransfer) -> Void

    init(loop: any EventLoop, onHead: @escaping (HTTPTransfer) -> Void) {
        self.promise = loop.makePromise()
        self.onHead = onHead
    }

    func received(_ head: HTTPResponseHead, of transfer: HTTPTransfer) {
        #expect(self.outcome.head == nil)
        self.outcome.head = head
        self.onHead(transfer)
        if transfer.isOver { self.finish() }
    }

    func received(_ bytes: ByteBuffer, of transfer: HTTPTransfer) {
        self.outcome.pieces += 1
        self.outcome.body.writeImmutableBuffer(bytes)
    }

    func ended(_ transfer: HTTPTransfer) { self.finish() }

    func failed(_ transfer: HTTPTransfer, _ failure: HTTPFailure) {
        self.outcome.failure = failure
        self.finish()
    }

    private func finish() {
        #expect(!self.isOver)
        self.isOver = true
        self.promise.succeed(self.outcome)
    }
}

private final class MCPRecorder: MCPTransferDelegate {
    let promise: EventLoopPromise<Outcome>
    private var outcome = Outcome()

    init(loop: any EventLoop) { self.promise = loop.makePromise() }

    func received(_ head: HTTPResponseHead, of transfer: MCPTransfer) { self.outcome.head = head }
    func received(_ event: ServerSentEvent, of transfer: MCPTransfer) { self.outcome.events.append(event) }

    func ended(_ transfer: MCPTransfer, body: ByteBuffer?) {
        self.outcome.body = body ?? ByteBuffer()
        self.finish(transfer)
    }

    func failed(_ transfer: MCPTransfer, _ failure: HTTPFailure) {
        self.outcome.failure = failure
        self.finish(transfer)
    }

    private func finish(_ transfer: MCPTransfer) {
        self.outcome.lastEventID = transfer.lastEventID
        self.outcome.retry = transfer.retry
        self.promise.succeed(self.outcome)
    }
}

/// A request to a path of a server.
func request(
    _ server: OddServer, _ method: HTTPMethod = .POST, _ path: String = "/mcp", body: String? = "{}",
    limits: TransferLimits = TransferLimits()
) throws -> HTTPRequest {
    let address = try #require(HTTPAddress(server.url + path))
    return HTTPRequest(method, address, body: body.map { ByteBuffer(string: $0) }, limits: limits)
}

/// The server's endpoint.
func endpoint(_ server: OddServer) throws -> MCPDestination {
    MCPDestination(try #require(HTTPAddress(server.url + "/mcp")))
}
