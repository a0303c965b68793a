import BridgeConfiguration
import BridgeCore
import NIOCore

/// Serves a connection for which there is no room: says so, and closes.
final class BusyHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let table: ConnectionTable
    private let linger: TimeAmount
    private var isOpen = false

    init(_ table: ConnectionTable) {
        self.table = table
        self.linger = table.limits.linger.timeAmount
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.isOpen = true
        self.table.refusedOpened()
        if context.channel.isActive { self.refuse(context) }
    }

    func channelActive(context: ChannelHandlerContext) { self.refuse(context) }

    func channelInactive(context: ChannelHandlerContext) {
        if self.isOpen { self.table.refusedClosed() }
        self.isOpen = false
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func refuse(_ context: ChannelHandlerContext) {
        context.writeAndFlush(
            self.wrapOutboundOut(Self.response(limit: self.table.limits.maximumConnections)), promise: nil)
        context.close(mode: .output, promise: nil)
        let channel = context.channel
        context.eventLoop.scheduleTask(in: self.linger) { channel.close(promise: nil) }
    }

    private static func response(limit: Int) -> ByteBuffer {
        let body = Refusal.tooManyConnections(limit: limit).body(.plain)
        var response = ByteBuffer(
            string: """
                HTTP/1.1 503 Service Unavailable\r
                Content-Type: application/json\r
                Content-Length: \(body.readableBytes)\r
                Retry-After: 1\r
                Connection: close\r
                \r

                """
        )
        response.writeImmutableBuffer(body)
        return response
    }
}
