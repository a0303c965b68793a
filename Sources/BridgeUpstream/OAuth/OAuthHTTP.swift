import BridgeConfiguration
import BridgeHTTPClient
import BridgeOAuth
import FoundationEssentials
import NIOCore
import NIOHTTP1

/// Makes the requests of an upstream's OAuth: on connections of their own, without cookies, and trusting whom the upstream's
/// connection trusts, but for `tls.insecure`, which is about this machine alone. Confined to its event loop.
final class OAuthHTTP {
    private let loop: any EventLoop
    private let target: RemoteTarget
    /// Those that believe anybody, and those that do not.
    private var connections: [Bool: HTTPConnections] = [:]
    private var isOver = false

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
        guard !self.isOver else { return self.loop.makeSucceededFuture(.failed("the sign-in is over", sent: false)) }
        let connections = try self.connections(to: request.url)
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

    private func connections(to url: String) throws -> HTTPConnections {
        let target = self.target.reaching(url)
        if let open = self.connections[target.trustsAnybody] { return open }
        let opened = HTTPConnections(on: self.loop, settings: try target.connectionSettings)
        self.connections[target.trustsAnybody] = opened
        return opened
    }

    func shutDown() {
        self.isOver = true
        for each in self.connections.values { _ = each.shutdown() }
        self.connections = [:]
    }
}

extension RemoteTarget {
    /// As an authorization server is reached, which may be on another machine than the upstream: whoever believes anybody on
    /// this machine does not believe anybody elsewhere.
    func reaching(_ url: String) -> RemoteTarget {
        var target = self
        target.trustsAnybody = self.trustsAnybody && (WebAddress(url)?.isLoopback ?? false)
        return target
    }
}

extension Moment {
    /// Both clocks as they are.
    static var now: Moment {
        Moment(
            wall: Date().timeIntervalSince1970, steady: Double(NIODeadline.now().uptimeNanoseconds) / 1_000_000_000)
    }
}
