import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// The end of the pipeline of one connection: one request after the other, and what is answered. Confined to its event
/// loop.
final class DirectConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = HTTPClientRequestPart
    typealias OutboundOut = HTTPClientRequestPart

    /// A request that is longer may still be under way when its answer comes.
    private static let longBody = 16 << 10

    let origin: HTTPAddress.Origin
    var idleSince = NIODeadline.now()
    private let pool: DirectConnections
    private var context: ChannelHandlerContext?
    private var current: DirectExchange?
    /// Whether another request may follow.
    private var isKept = true
    /// Whether the request has left.
    private var isWritten = true
    private var isClosed = false
    /// Back pressure: what has been read meanwhile, and whether more would have been.
    private var isHeld = false
    private var held = CircularBuffer<HTTPClientResponsePart>()
    private var wantsToRead = false

    init(_ pool: DirectConnections, _ origin: HTTPAddress.Origin) {
        self.pool = pool
        self.origin = origin
    }

    var isUsable: Bool { !self.isClosed && self.isKept && self.context?.channel.isActive ?? false }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.isClosed = true
        self.context = nil
    }

    func run(_ exchange: DirectExchange) {
        guard let context, let request = exchange.request else {
            return exchange.failed(HTTPClientError.remoteConnectionClosed)
        }
        self.current = exchange
        exchange.connection = self
        exchange.queue = nil
        self.isKept = request.isKept
        exchange.sent()
        context.write(Self.wrapOutboundOut(.head(request.head)), promise: nil)
        if let body = request.body { context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        guard (request.body?.readableBytes ?? 0) > Self.longBody else {
            return context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
        self.isWritten = false
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil))).assumeIsolated().whenSuccess { self.isWritten = true }
    }

    func close() {
        self.isKept = false
        self.context?.close(promise: nil)
    }

    /// Ends the request that is under way, and the connection.
    func end() {
        self.fail(HTTPClientError.cancelled)
        self.close()
    }

    /// Nobody waits for the answer.
    func abandon() {
        self.current = nil
        self.held = []
        self.close()
    }

    // MARK: What comes

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = Self.unwrapInboundIn(data)
        if self.isHeld { self.held.append(part) } else { self.take(part) }
    }

    private func take(_ part: HTTPClientResponsePart) {
        guard let current else { return self.close() }
        switch part {
        case .head(let head):
            guard head.status != .switchingProtocols else {
                return self.errorCaught(HTTPFailure(.malformed("it changes to another protocol"), mayHaveRun: true))
            }
            if !head.isKeepAlive { self.isKept = false }
            self.hold(current.received(head))
        case .body(let bytes): self.hold(current.received(bytes))
        case .end:
            self.current = nil
            current.connection = nil
            // First: what follows on the connection is heard of later.
            current.ended()
            if self.isKept, self.isWritten, !self.isClosed { self.pool.free(self) } else { self.close() }
        }
    }

    /// Hands over no more before this is done.
    private func hold(_ next: EventLoopFuture<Void>?) {
        guard let next, let current, !current.isReading else { return }
        self.isHeld = true
        next.assumeIsolated().whenComplete { _ in self.goOn() }
    }

    private func goOn() {
        self.isHeld = false
        while !self.isHeld, let part = self.held.popFirst() { self.take(part) }
        guard !self.isHeld else { return }
        if self.isClosed { self.fail(HTTPClientError.remoteConnectionClosed) }
        guard self.wantsToRead else { return }
        self.wantsToRead = false
        self.context?.read()
    }

    func read(context: ChannelHandlerContext) {
        if self.isHeld { self.wantsToRead = true } else { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.isClosed = true
        self.pool.closed(self)
        if !self.isHeld { self.fail(HTTPClientError.remoteConnectionClosed) }
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { self.errorCaught(error) }

    private func errorCaught(_ error: any Error) {
        // What came before it counts, and nothing follows.
        self.isKept = false
        self.isHeld = false
        while let part = self.held.popFirst() { self.take(part) }
        self.fail(error)
        self.close()
    }

    private func fail(_ error: any Error) {
        guard let current else { return }
        self.current = nil
        current.connection = nil
        current.failed(error)
    }
}

/// One request over a connection of our own, and who hears of its answer. Confined to its event loop.
final class DirectExchange: HTTPCourse {
    /// Until nobody wants it any more.
    private(set) var request: DirectRequest?
    /// That it is over on.
    weak var connection: DirectConnection?
    /// Where it waits for a connection.
    weak var queue: DirectConnections?
    private var transfer: HTTPTransfer?
    private let hop: Int

    init(_ request: DirectRequest, for transfer: HTTPTransfer, hop: Int) {
        self.request = request
        self.transfer = transfer
        self.hop = hop
    }

    var isOver: Bool { self.transfer == nil }
    var isReading: Bool { self.transfer?.isReading ?? true }

    func sent() { self.transfer?.headSent(hop: self.hop) }

    func received(_ head: HTTPResponseHead) -> EventLoopFuture<Void>? {
        self.transfer?.received(head, hop: self.hop)
    }

    func received(_ bytes: ByteBuffer) -> EventLoopFuture<Void>? {
        self.transfer?.received(bytes, hop: self.hop)
    }

    func ended() { self.leave()?.ended(hop: self.hop) }
    func failed(_ error: any Error) { self.leave()?.failed(error, hop: self.hop) }

    func cancel() {
        self.transfer = nil
        self.request = nil
        self.connection?.abandon()
        self.connection = nil
        self.queue?.forget(self)
    }

    private func leave() -> HTTPTransfer? {
        defer { self.transfer = nil }
        return self.transfer
    }
}
