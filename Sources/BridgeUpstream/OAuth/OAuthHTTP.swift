import BridgeConfiguration
import BridgeHTTPClient
import BridgeOAuth
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Makes the requests of an upstream's OAuth: on connections of their own, without cookies, and trusting whom the upstream's
/// connection trusts. Confined to its event loop.
final class OAuthHTTP {
    private let loop: any EventLoop
    private let target: RemoteTarget
    private var connections: HTTPConnections?

    init(_ target: RemoteTarget, loop: any EventLoop) {
        self.target = target
        self.loop = loop
    }

    /// Calls back in a later turn.
    func ask(_ request: WebRequest, _ done: @escaping (WebAnswer) -> Void) {
        let answer: EventLoopFuture<WebAnswer>
        do {
            answer = try self.send(request)
        } catch {
            answer = self.loop.makeSucceededFuture(.failed("\(error)", sent: false))
        }
        answer.hop(to: self.loop).assumeIsolated().whenSuccess { reply in done(reply) }
    }

    private func send(_ request: WebRequest) throws -> EventLoopFuture<WebAnswer> {
        guard let address = HTTPAddress(request.url) else {
            throw HTTPTargetError(reason: "it is no address: \(request.url)")
        }
        let connections = try self.connections ?? self.open()
        self.connections = connections
        var fields = HTTPHeaders([("User-Agent", "mcp-bridge")])
        for header in request.headers { fields.replaceOrAdd(name: header.name, value: header.value) }
        var sent = HTTPRequest(
            request.method == .get ? .GET : .POST, address, headers: fields,
            body: request.body.map { ByteBuffer(string: $0) },
            limits: TransferLimits(total: .seconds(Int64(request.limit))))
        sent.mostRedirects = request.method == .get ? 3 : 0
        return connections.reply(to: sent, maximumBody: request.maximumBody).map { reply in
            .reply(
                WebReply(
                    status: Int(reply.head.status.code),
                    headers: reply.head.headers.map { WebHeader($0.name, $0.value) }, body: reply.body))
        }.flatMapErrorThrowing { error in
            guard let failure = error as? HTTPFailure else { return .failed("\(error)", sent: true) }
            return .failed(failure.description, sent: failure.mayHaveRun)
        }
    }

    private func open() throws -> HTTPConnections {
        HTTPConnections(on: self.loop, settings: try self.target.connectionSettings)
    }

    func shutDown() {
        _ = self.connections?.shutdown()
        self.connections = nil
    }
}

extension Moment {
    /// Both clocks as they are.
    static var now: Moment {
        Moment(
            wall: Date().timeIntervalSince1970, steady: Double(NIODeadline.now().uptimeNanoseconds) / 1_000_000_000)
    }
}
