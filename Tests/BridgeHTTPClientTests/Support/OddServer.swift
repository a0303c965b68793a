import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// How requests go: over connections of our own, or the library's.
enum Way {
    @TaskLocal static var isDirect = true
}

/// A server that answers each request by a script: bytes as they are, good HTTP or not, at the pace of the script.
final class OddServer: Sendable {
    struct Request: Sendable {
        var head: HTTPRequestHead
        var body = ""
    }

    enum Step: Sendable {
        case bytes(ByteBuffer)
        /// One byte after the other, each in a packet of its own.
        case slowly(String)
        case wait(TimeAmount)
        case close

        static func text(_ text: String) -> Step { .bytes(ByteBuffer(string: text)) }
    }

    /// - Parameter 1: how many requests came before.
    typealias Script = @Sendable (Request, Int) -> [Step]

    private struct State {
        var requests: [Request] = []
        var connected = 0
        var written = 0
        /// By the client, and by this.
        var closed = Tally()
        var left = Tally()
    }

    /// How often something has happened, and who waits for it to have happened so often.
    private struct Tally {
        var count = 0
        private var waiting: [(count: Int, promise: EventLoopPromise<Void>)] = []

        mutating func wait(for count: Int, _ promise: EventLoopPromise<Void>) -> Bool {
            if self.count < count { self.waiting.append((count, promise)) }
            return self.count >= count
        }

        /// Returns those who need not wait any more.
        mutating func add() -> [EventLoopPromise<Void>] {
            self.count += 1
            let done = self.waiting.filter { $0.count <= self.count }.map(\.promise)
            self.waiting.removeAll { $0.count <= self.count }
            return done
        }
    }

    private let state = Mutex(State())
    private let channel: any Channel

    private init(_ channel: any Channel) { self.channel = channel }

    /// Runs `body` beside a server, once for each way that requests go, and returns what the last one did.
    @discardableResult
    static func serving<Value>(
        socket: String? = nil, _ script: @escaping Script, _ body: (OddServer) async throws -> Value
    ) async throws -> Value {
        _ = try await Way.$isDirect.withValue(false) { try await Self.servingOnce(socket: socket, script, body) }
        return try await Self.servingOnce(socket: socket, script, body)
    }

    private static func servingOnce<Value>(
        socket: String?, _ script: @escaping Script, _ body: (OddServer) async throws -> Value
    ) async throws -> Value {
        let made = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: OddServer.self)
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer {
            channel in
            made.futureResult.hop(to: channel.eventLoop).flatMapThrowing { server in
                server.state.withLock { $0.connected += 1 }
                try channel.pipeline.syncOperations.addHandlers(
                    ByteToMessageHandler(HTTPRequestDecoder()), OddHandler(server, script))
            }
        }
        let channel =
            if let socket { try await bootstrap.bind(unixDomainSocketPath: socket).get() } else {
                try await bootstrap.bind(host: "127.0.0.1", port: 0).get()
            }
        let server = OddServer(channel)
        made.succeed(server)
        do {
            let value = try await body(server)
            try await channel.close()
            return value
        } catch {
            try? await channel.close()
            throw error
        }
    }

    var url: String { "http://127.0.0.1:\(self.channel.localAddress?.port ?? 0)" }
    var requests: [Request] { self.state.withLock { $0.requests } }
    /// Connections that there have been.
    var connected: Int { self.state.withLock { $0.connected } }
    /// Bytes that the system has taken.
    var written: Int { self.state.withLock { $0.written } }

    /// Until that many connections have been closed by the client.
    func closed(_ count: Int = 1) async throws { try await self.wait { $0.closed.wait(for: count, $1) } }

    /// Until the script has closed that many.
    func left(_ count: Int) async throws { try await self.wait { $0.left.wait(for: count, $1) } }

    private func wait(_ isThere: (inout State, EventLoopPromise<Void>) -> Bool) async throws {
        let promise = self.channel.eventLoop.makePromise(of: Void.self)
        if self.state.withLock({ isThere(&$0, promise) }) { promise.succeed() }
        try await promise.futureResult.get()
    }

    fileprivate func take(_ request: Request) -> Int {
        self.state.withLock { state in
            state.requests.append(request)
            return state.requests.count - 1
        }
    }

    fileprivate func wrote(_ count: Int) { self.state.withLock { $0.written += count } }

    /// A connection is gone.
    fileprivate func ended(byClient: Bool) {
        let done = self.state.withLock { byClient ? $0.closed.add() : $0.left.add() }
        for promise in done { promise.succeed() }
    }
}

private final class OddHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let server: OddServer
    private let script: OddServer.Script
    private var request: OddServer.Request?
    private var isClosing = false

    init(_ server: OddServer, _ script: @escaping OddServer.Script) {
        self.server = server
        self.script = script
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): self.request = OddServer.Request(head: head)
        case .body(let bytes): self.request?.body += String(buffer: bytes)
        case .end:
            guard let request = self.request else { return }
            self.play(self.script(request, self.server.take(request))[...], context)
        }
    }

    private func play(_ steps: ArraySlice<OddServer.Step>, _ context: ChannelHandlerContext) {
        guard let step = steps.first, context.channel.isActive else { return }
        switch step {
        case .bytes(let bytes):
            // The next one when this is written: a client that does not read holds the script up.
            context.writeAndFlush(Self.wrapOutboundOut(bytes)).assumeIsolated().whenSuccess {
                self.server.wrote(bytes.readableBytes)
                self.play(steps.dropFirst(), context)
            }
        case .slowly(let text):
            let single = text.utf8.flatMap { [OddServer.Step.bytes(ByteBuffer(bytes: [$0])), .wait(.milliseconds(1))] }
            self.play((single + steps.dropFirst())[...], context)
        case .wait(let time):
            context.eventLoop.assumeIsolated().scheduleTask(in: time) { self.play(steps.dropFirst(), context) }
        case .close:
            self.isClosing = true
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.server.ended(byClient: !self.isClosing)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A whole answer.
func answer(
    _ status: String = "200 OK", _ body: String = "", type: String? = "application/json", headers: String...
) -> [OddServer.Step] {
    let own = ["HTTP/1.1 \(status)", "Content-Length: \(body.utf8.count)"]
    let lines = own + (type.map { ["Content-Type: \($0)"] } ?? []) + headers
    return [.text(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)]
}

/// The head of a body that ends with the connection.
func streamHead(_ type: String? = "text/event-stream") -> OddServer.Step {
    .text("HTTP/1.1 200 OK\r\n\(type.map { "Content-Type: \($0)\r\n" } ?? "")Connection: close\r\n\r\n")
}
