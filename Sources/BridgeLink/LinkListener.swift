import BridgeCore
import Glibc
package import NIOCore
import NIOPosix

/// Accepts links on a listening Unix socket.
package final class LinkListener {
    private let channel: any Channel
    private let accepting: LinkAcceptor

    private init(channel: any Channel, accepting: LinkAcceptor) {
        self.channel = channel
        self.accepting = accepting
    }

    /// Starts accepting.
    ///
    /// - Parameters:
    ///   - descriptor: a listening socket; owned by the listener from now on, also when the future fails.
    ///   - onConnection: called on the loop for each new link; set its callbacks there.
    package static func listen(
        descriptor: Int32,
        on loop: any EventLoop,
        onConnection: @escaping (LinkConnection) -> Void
    ) -> EventLoopFuture<LinkListener> {
        let accepting = NIOLoopBound(LinkAcceptor(onConnection: onConnection), eventLoop: loop)
        let owned: Int32
        do throws(IOError) {
            owned = try OwnedDescriptor.take(descriptor)
        } catch {
            return loop.makeFailedFuture(error)
        }
        return ServerBootstrap(group: loop)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(AcceptPause())
                }
            }
            .childChannelOption(.recvAllocator, value: LinkChannel.recvAllocator)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try accepting.value.accept(channel) }
            }
            .withBoundSocket(owned)
            .assumeIsolated()
            .map { channel in
                // Binding has listened again, with NIO's own backlog of 128.
                Glibc.listen(owned, 4_096)
                return LinkListener(channel: channel, accepting: accepting.value)
            }
            .nonisolated()
    }

    /// Stops accepting; links that are there stay. One that has not been greeted yet is not: its peer dials again.
    package func close() {
        self.accepting.isClosed = true
        self.channel.close(promise: nil)
    }

    /// The links that are there.
    package var connections: [LinkConnection] { Array(self.accepting.links.values) }

    /// Closes every link.
    package func closeConnections() { self.accepting.closeAll() }
}

enum LinkChannel {
    /// Large reads for large payloads, small ones else.
    static let recvAllocator = AdaptiveRecvByteBufferAllocator(minimum: 2048, initial: 16 << 10, maximum: 1 << 20)
}

/// Sorts accepted connections into links and their bulk connections. Confined to one loop.
private final class LinkAcceptor {
    private let onConnection: (LinkConnection) -> Void
    private(set) var links: [String: LinkConnection] = [:]
    var isClosed = false

    init(onConnection: @escaping (LinkConnection) -> Void) { self.onConnection = onConnection }

    func closeAll() { for link in self.links.values { link.close() } }

    func accept(_ channel: any Channel) throws {
        let handler = LinkHandler()
        handler.onFrame = { [weak self, weak handler] frame in
            guard let self, let handler, let hello = Hello.read(frame) else {
                channel.close(promise: nil)
                return
            }
            if hello.bulk {
                self.acceptBulk(channel, handler, hello.link)
            } else {
                self.acceptLink(channel, handler, hello.link)
            }
        }
        try channel.pipeline.syncOperations.addHandler(handler)
    }

    private func acceptLink(_ channel: any Channel, _ handler: LinkHandler, _ name: String) {
        guard !self.isClosed else { return channel.close(promise: nil) }
        let bulk = BulkLane(isAvailable: true)
        let link = LinkConnection(channel: channel, dialled: false, bulk: bulk)
        self.links[name] = link
        handler.onFrame = { link.receive($0) }
        handler.onInactive = { [weak self] in
            self?.links[name] = nil
            link.lostMain()
        }
        link.write(Hello.frame(link: name, bulk: false))
        self.onConnection(link)
    }

    private func acceptBulk(_ channel: any Channel, _ handler: LinkHandler, _ name: String) {
        guard let link = self.links[name] else { return channel.close(promise: nil) }
        handler.serve(link.bulk, on: channel)
        link.bulk.add(BulkConnection(channel: channel))
    }
}

extension LinkHandler {
    /// Makes this a bulk connection's handler.
    func serve(_ bulk: BulkLane, on channel: any Channel) {
        self.onFrame = { frame in
            guard frame.kind == .bulk, let number = UInt32(exactly: frame.exchange), let payload = frame.payload else {
                return
            }
            bulk.receive(number, payload)
        }
        self.onInactive = { bulk.lost(channel) }
    }
}
