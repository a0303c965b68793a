import AsyncHTTPClient
package import NIOCore
import NIOHTTP1
import NIOHTTPCompression

/// Connections to HTTP servers, all of them on one event loop.
///
/// Everything about a request happens on that loop, and requests are made there. HTTP/1.1 only: a server that speaks
/// nothing but HTTP/2 is an error that says so.
package struct HTTPConnections: Sendable {
    package let loop: any EventLoop
    private let client: HTTPClient
    /// For those that need nothing of what the library is for; made on the loop.
    private let direct: NIOLoopBoundBox<DirectConnections?>
    private let settings: HTTPConnectionSettings

    /// ``shutdown()`` must be called when it is no longer needed.
    package init(on loop: any EventLoop, settings: HTTPConnectionSettings = HTTPConnectionSettings()) {
        self.loop = loop
        self.direct = .makeEmptyBox(valueType: DirectConnections.self, eventLoop: loop)
        self.settings = settings
        var configuration = HTTPClient.Configuration()
        configuration.httpVersion = .http1Only
        // Ours are stricter.
        configuration.redirectConfiguration = .disallow
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: settings.connectTimeout)
        configuration.connectionPool.idleTimeout = settings.idleTimeout
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = settings.connectionsPerHost
        // Who asks is told at once that nobody listens, and has a back-off of its own.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.tlsConfiguration = settings.trust.tlsConfiguration
        configuration.proxy = settings.proxy?.library
        if settings.maximumInflation > 0 {
            configuration.decompression = .enabled(limit: .ratio(settings.maximumInflation))
        }
        self.client = HTTPClient(eventLoopGroupProvider: .shared(loop), configuration: configuration)
    }

    /// Sends a request. The delegate is kept until the transfer is over, and hears nothing before this returns.
    package func send(_ request: HTTPRequest, to delegate: any HTTPTransferDelegate) -> HTTPTransfer {
        let transfer = HTTPTransfer(
            request, delegate: delegate, client: self.client, direct: self.connectionsOfOurOwn, loop: self.loop)
        transfer.start()
        return transfer
    }

    private var connectionsOfOurOwn: DirectConnections? {
        guard self.settings.isDirect, self.settings.proxy == nil else { return nil }
        if let direct = self.direct.value { return direct }
        let direct = DirectConnections(on: self.loop, settings: self.settings)
        self.direct.value = direct
        return direct
    }

    /// Sends a request and waits for all of its answer.
    package func reply(to request: HTTPRequest, maximumBody: Int) -> EventLoopFuture<HTTPReply> {
        let whole = WholeReply(maximumBody: maximumBody, loop: self.loop)
        _ = self.send(request, to: whole)
        return whole.reply
    }

    /// Ends all requests and closes all connections.
    package func shutdown() -> EventLoopFuture<Void> {
        let library = self.client.shutdown().hop(to: self.loop)
        return self.loop.flatSubmit { self.connectionsOfOurOwn?.shutdown() ?? self.loop.makeSucceededVoidFuture() }
            .flatMap { library }
    }
}
