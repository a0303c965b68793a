import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOHTTPCompression
import NIOPosix

/// Connections of plain HTTP/1.1 without a proxy, on one event loop.
///
/// Who is spoken to in plain HTTP is on this machine or next to it: there, what a request costs here is much of what it
/// takes, and most of that is the library's own tasks and pools. Everything else goes through the library.
///
/// Confined to its event loop.
final class DirectConnections {
    private struct Server {
        /// The one that was used last stands last, and is used first.
        var idle: [DirectConnection] = []
        /// Made, or being made.
        var open = 0
        var waiting = CircularBuffer<DirectExchange>()
    }

    /// A connection in the making.
    private final class Attempt {
        let exchange: DirectExchange
        /// One for each address that has been tried.
        var channels: [any Channel] = []

        init(for exchange: DirectExchange) { self.exchange = exchange }
    }

    let loop: any EventLoop
    private let settings: HTTPConnectionSettings
    private var servers: [HTTPAddress.Origin: Server] = [:]
    private var connections: [ObjectIdentifier: DirectConnection] = [:]
    private var attempts: [ObjectIdentifier: Attempt] = [:]
    private var idleCheck: Scheduled<Void>?
    private var ending: EventLoopPromise<Void>?

    init(on loop: any EventLoop, settings: HTTPConnectionSettings) {
        self.loop = loop
        self.settings = settings
    }

    /// - Throws: what is wrong with the request.
    func send(_ request: HTTPRequest, for transfer: HTTPTransfer, hop: Int) throws(HTTPFailure) -> DirectExchange {
        let exchange = DirectExchange(try DirectRequest(request), for: transfer, hop: hop)
        if self.ending == nil {
            self.place(exchange, at: request.address.origin)
        } else {
            exchange.failed(HTTPClientError.alreadyShutdown)
        }
        return exchange
    }

    private func place(_ exchange: DirectExchange, at origin: HTTPAddress.Origin) {
        while let connection = self.servers[origin]?.idle.popLast() {
            if connection.isUsable { return connection.run(exchange) }
        }
        guard (self.servers[origin]?.open ?? 0) < self.settings.connectionsPerHost else {
            exchange.queue = self
            self.servers[origin]?.waiting.append(exchange)
            return
        }
        self.servers[origin, default: Server()].open += 1
        self.connect(exchange, to: origin)
    }

    /// It is not wanted any more.
    func forget(_ exchange: DirectExchange) {
        for origin in self.servers.keys { self.servers[origin]?.waiting.removeAll { $0 === exchange } }
    }

    private func connect(_ exchange: DirectExchange, to origin: HTTPAddress.Origin) {
        let attempt = Attempt(for: exchange)
        self.attempts[ObjectIdentifier(attempt)] = attempt
        let bound = NIOLoopBound((pool: self, attempt: attempt), eventLoop: self.loop)
        let ratio = self.settings.maximumInflation
        let bootstrap = ClientBootstrap(group: self.loop).connectTimeout(self.settings.connectTimeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (pool, attempt) = bound.value
                    guard pool.ending == nil else { throw HTTPClientError.alreadyShutdown }
                    attempt.channels.append(channel)
                    let pipeline = channel.pipeline.syncOperations
                    var configuration = HTTPRequestEncoder.Configuration()
                    configuration.automaticallySetFramingHeaders = false
                    try pipeline.addHandler(HTTPRequestEncoder(configuration: configuration))
                    try pipeline.addHandler(
                        ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes)))
                    if ratio > 0 { try pipeline.addHandler(NIOHTTPResponseDecompressor(limit: .ratio(ratio))) }
                    try pipeline.addHandler(DirectConnection(pool, origin))
                }
            }
        let channel =
            origin.isSocket
            ? bootstrap.connect(unixDomainSocketPath: origin.host)
            : bootstrap.connect(host: origin.bareHost, port: origin.port)
        channel.assumeIsolated().whenComplete { result in
            self.attempts[ObjectIdentifier(attempt)] = nil
            do {
                let channel = try result.get()
                let connection = try channel.pipeline.syncOperations.handler(type: DirectConnection.self)
                self.connected(connection, for: exchange)
            } catch {
                self.left(origin)
                let isLate = if case ChannelError.connectTimeout = error { true } else { false }
                exchange.failed(isLate ? HTTPClientError.connectTimeout : error)
            }
            self.endIfOver()
        }
    }

    func connected(_ connection: DirectConnection, for exchange: DirectExchange) {
        guard connection.isUsable else {
            // It has ended before it was anybody's, and is not told again.
            connection.close()
            self.left(connection.origin)
            return exchange.failed(HTTPClientError.remoteConnectionClosed)
        }
        self.connections[ObjectIdentifier(connection)] = connection
        if self.ending != nil {
            connection.close()
        } else if exchange.isOver {
            self.free(connection)
        } else {
            connection.run(exchange)
        }
    }

    /// It can be used again.
    func free(_ connection: DirectConnection) {
        if self.ending != nil { return connection.close() }
        while let next = self.servers[connection.origin]?.waiting.popFirst() {
            if !next.isOver { return connection.run(next) }
        }
        connection.idleSince = .now()
        self.servers[connection.origin, default: Server()].idle.append(connection)
        if self.idleCheck == nil { self.checkIdle(in: self.settings.idleTimeout) }
    }

    func closed(_ connection: DirectConnection) {
        guard self.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        self.servers[connection.origin]?.idle.removeAll { $0 === connection }
        self.left(connection.origin)
        self.endIfOver()
    }

    private func endIfOver() {
        if self.connections.isEmpty, self.attempts.isEmpty { self.ending?.succeed() }
    }

    /// There is room for another one.
    private func left(_ origin: HTTPAddress.Origin) {
        self.servers[origin]?.open -= 1
        while self.ending == nil, let next = self.servers[origin]?.waiting.popFirst() {
            if !next.isOver { return self.place(next, at: origin) }
        }
        if self.servers[origin]?.open == 0 { self.servers[origin] = nil }
    }

    /// Closes what nobody has used for long, by one timer for all of them.
    private func checkIdle(in time: TimeAmount) {
        self.idleCheck = self.loop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            guard let self else { return }
            self.idleCheck = nil
            let limit = NIODeadline.now() - self.settings.idleTimeout
            let idle = self.servers.values.flatMap(\.idle)
            for connection in idle where connection.idleSince <= limit { connection.close() }
            guard let oldest = idle.map(\.idleSince).filter({ $0 > limit }).min() else { return }
            self.checkIdle(in: oldest - limit)
        }
    }

    /// Ends all requests and closes all connections.
    func shutdown() -> EventLoopFuture<Void> {
        if let ending { return ending.futureResult }
        let ending = self.loop.makePromise(of: Void.self)
        self.ending = ending
        self.idleCheck?.cancel()
        for server in self.servers.values {
            for exchange in server.waiting { exchange.failed(HTTPClientError.cancelled) }
        }
        for attempt in self.attempts.values {
            attempt.exchange.failed(HTTPClientError.cancelled)
            for channel in attempt.channels { channel.close(promise: nil) }
        }
        // A name that is still being looked up leads to nothing any more, and is not waited for.
        self.attempts = self.attempts.filter { !$0.value.channels.isEmpty }
        for connection in self.connections.values { connection.end() }
        self.endIfOver()
        return ending.futureResult
    }
}

extension HTTPAddress.Origin {
    var isSocket: Bool { self.scheme == "http+unix" }
    /// As systems look it up.
    fileprivate var bareHost: String {
        self.host.hasPrefix("[") && self.host.hasSuffix("]") ? String(self.host.dropFirst().dropLast()) : self.host
    }
}
