package import BridgeCore
import DequeModule
package import Logging
package import NIOCore
import NIOPosix

/// Keeps one link to a socket path alive: dials, and dials again whenever the link is lost.
///
/// Exchanges can be opened at any time. While there is no link they wait, at most ``maximumWaiting`` of them, and none of
/// their bytes leave this process. Since a worker's socket stays open across the worker's restart, dialling again at
/// once is right: the connection waits in the backlog for the next worker. Confined to its event loop.
package final class LinkDialer {
    package static let maximumWaiting = 1_024

    /// A link is up, or up again; called before the waiting exchanges leave.
    package var onConnected: ((LinkConnection) -> Void)?
    /// The link is lost. Its exchanges have failed before this is called.
    package var onLost: (() -> Void)?
    /// The peer opened an exchange.
    package var onOpen: ((Exchange) -> Void)?

    private let path: String
    private let loop: any EventLoop
    private let logger: Logger
    private var link: LinkConnection?
    /// The peer has taken leave: what is opened from now on is for its successor.
    private var isLeaving = false
    private var waiting: Deque<Exchange> = []
    private var closed = false
    private var establishedAt = NIODeadline.now()
    /// Quick, since a worker's socket outlives it. A link that is lost before half a second counts as a failure: a peer
    /// that hangs up at once is not dialled in a circle.
    private var backoff = Backoff(
        base: .milliseconds(10), maximum: .seconds(1), forgivenAfter: .milliseconds(500)
    )

    /// Does nothing until ``start()``.
    package init(path: String, loop: any EventLoop, logger: Logger) {
        self.path = path
        self.loop = loop
        self.logger = logger
    }

    deinit {
        self.link?.onOpen = nil
        self.link?.onClose = nil
    }

    package var isConnected: Bool { self.link?.isOpen ?? false }

    /// Whether anything more is read of what the peer sends, on this link and its successors.
    package var isReading = true {
        didSet { if self.isReading != oldValue { self.link?.setReading(self.isReading) } }
    }

    package func start() { self.connect() }

    /// Opens an exchange, now or as soon as there is a link.
    package func open(
        header: JSONText, payload: ByteBuffer? = nil, hold: PayloadHold? = nil, delegate: any ExchangeDelegate
    ) -> Exchange {
        if let link = self.link, link.isOpen, !self.isLeaving {
            return link.open(header: header, payload: payload, hold: hold, delegate: delegate)
        }
        let exchange = Exchange(header: header, payload: payload, hold: hold)
        exchange.delegate = delegate
        if self.closed {
            self.loop.assumeIsolated().execute { exchange.fail(.linkLost(sent: false)) }
            return exchange
        }
        self.waiting.removeAll { $0.isOver }
        if self.waiting.count >= Self.maximumWaiting {
            self.loop.assumeIsolated().execute { exchange.fail(.overloaded) }
        } else {
            self.waiting.append(exchange)
        }
        return exchange
    }

    /// Closes the link for good. Waiting exchanges fail as not sent.
    package func close() {
        guard !self.closed else { return }
        self.closed = true
        let waiting = self.waiting
        self.waiting = []
        for exchange in waiting { exchange.fail(.linkLost(sent: false)) }
        self.link?.close()
    }

    // MARK: Dialling

    private func connect() {
        guard !self.closed else { return }
        let name = Self.randomName()
        LinkConnection.dial(path: self.path, name: name, on: self.loop) { link in
            self.established(link)
        }.assumeIsolated().whenComplete { result in
            if case .failure(let error) = result { self.failed(error) }
        }
    }

    /// The peer has answered the hello: it is alive, not only its socket.
    private func established(_ link: LinkConnection) {
        guard !self.closed else { return link.close() }
        self.establishedAt = .now()
        self.link = link
        // Not weak: every reference to what has a weak one costs more.
        link.onOpen = { [unowned self] exchange in
            if exchange.header.bytes == LinkConnection.leave.bytes {
                self.isLeaving = true
                exchange.end(header: .emptyObject)
            } else if let onOpen = self.onOpen {
                onOpen(exchange)
            } else {
                exchange.cancel(reason: "not served")
            }
        }
        link.onClose = { [unowned self] in self.lost() }
        if !self.isReading { link.setReading(false) }
        self.onConnected?(link)
        let waiting = self.waiting
        self.waiting = []
        for exchange in waiting { link.attach(exchange) }
    }

    private func lost() {
        self.link = nil
        self.isLeaving = false
        self.onLost?()
        guard self.backoff.forgives(Duration(.now() - self.establishedAt)) else { return self.failed(ChannelError.eof) }
        self.backoff.forgive()
        self.connect()
    }

    private func failed(_ error: any Error) {
        guard !self.closed else { return }
        if self.backoff.failures == 0 {
            self.logger.debug(
                "Link cannot be dialled yet", metadata: ["link.path": "\(self.path)", "error": "\(error)"])
        }
        // Nobody else dials this path: there is no crowd to spread.
        let delay = self.backoff.failed(draw: 1)
        self.loop.assumeIsolated().scheduleTask(in: TimeAmount(delay)) { self.connect() }
    }

    private static func randomName() -> String {
        String(UInt64.random(in: .min ... .max), radix: 16) + String(UInt64.random(in: .min ... .max), radix: 16)
    }
}

extension LinkConnection {
    /// Dials a link.
    ///
    /// - Parameter established: called once the peer has said hello.
    /// - Returns: fails when the path cannot be connected to, or the connection ends before the peer's hello.
    static func dial(
        path: String,
        name: String,
        on loop: any EventLoop,
        established: @escaping (LinkConnection) -> Void
    ) -> EventLoopFuture<Void> {
        let greeted = loop.makePromise(of: Void.self)
        let bound = NIOLoopBound(established, eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelOption(.recvAllocator, value: LinkChannel.recvAllocator)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let link = Self.install(on: channel, path: path, name: name)
                    try channel.pipeline.syncOperations.addHandler(link.handler)
                    link.greet(greeted, bound.value)
                }
            }
            .connect(unixDomainSocketPath: path)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel): channel.writeAndFlush(Hello.buffer(link: name, bulk: false), promise: nil)
                case .failure(let error): greeted.fail(error)
                }
            }
        return greeted.futureResult
    }

    private static func install(on channel: any Channel, path: String, name: String) -> DialledLink {
        let bulk = BulkLane(isAvailable: true)
        let link = LinkConnection(channel: channel, dialled: true, bulk: bulk)
        bulk.dial = { [weak bulk] in
            guard let bulk else { return }
            Self.dialBulk(path: path, name: name, on: channel.eventLoop, bulk)
        }
        return DialledLink(link: link, handler: LinkHandler())
    }

    /// Dials a bulk connection. A backlog that is full at the moment is tried again, for about half a second in all.
    private static func dialBulk(
        path: String, name: String, on loop: any EventLoop, _ bulk: BulkLane, attempt: Int = 0
    ) {
        guard !bulk.closed else { return }
        let bound = NIOLoopBound(bulk, eventLoop: loop)
        ClientBootstrap(group: loop)
            .channelOption(.recvAllocator, value: LinkChannel.recvAllocator)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = LinkHandler()
                    handler.serve(bound.value, on: channel)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(unixDomainSocketPath: path)
            .assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let channel):
                    channel.writeAndFlush(Hello.buffer(link: name, bulk: true), promise: nil)
                    bound.value.add(BulkConnection(channel: channel))
                case .failure where attempt < 6:
                    loop.assumeIsolated().scheduleTask(in: .milliseconds(8 << Int64(attempt))) {
                        Self.dialBulk(path: path, name: name, on: loop, bound.value, attempt: attempt + 1)
                    }
                case .failure:
                    bound.value.lost()
                }
            }
    }

    /// Makes a link of one end of a connected socket pair: the control link. Large payloads share its one connection.
    ///
    /// - Parameters:
    ///   - descriptor: owned by the link from now on, also when the future fails.
    ///   - first: whether this is the side that "dialled"; the two ends differ.
    package static func adopt(
        descriptor: Int32,
        first: Bool,
        on loop: any EventLoop,
        established: @escaping (LinkConnection) -> Void
    ) -> EventLoopFuture<Void> {
        let bound = NIOLoopBound(established, eventLoop: loop)
        let owned: Int32
        do throws(IOError) {
            owned = try OwnedDescriptor.take(descriptor)
        } catch {
            return loop.makeFailedFuture(error)
        }
        return ClientBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let link = LinkConnection(channel: channel, dialled: first, bulk: BulkLane(isAvailable: false))
                    let handler = LinkHandler(onFrame: { link.receive($0) }, onInactive: { link.lostMain() })
                    try channel.pipeline.syncOperations.addHandler(handler)
                    bound.value(link)
                }
            }
            .withConnectedSocket(owned)
            .map { _ in }
    }
}

/// A link whose peer has not said hello yet.
private struct DialledLink {
    let link: LinkConnection
    let handler: LinkHandler

    func greet(_ greeted: EventLoopPromise<Void>, _ established: @escaping (LinkConnection) -> Void) {
        let link = self.link
        let handler = self.handler
        handler.onInactive = {
            link.closeNow()
            greeted.fail(ChannelError.eof)
        }
        handler.onFrame = { [weak handler] frame in
            guard let handler, Hello.read(frame) != nil else { return link.close() }
            handler.onFrame = { link.receive($0) }
            handler.onInactive = { link.lostMain() }
            established(link)
            greeted.succeed()
        }
    }
}

extension Hello {
    static func buffer(link: String, bulk: Bool) -> ByteBuffer {
        var buffer = ByteBuffer()
        Hello.frame(link: link, bulk: bulk).encode(into: &buffer)
        return buffer
    }
}
