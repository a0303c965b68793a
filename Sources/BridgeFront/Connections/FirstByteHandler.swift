import NIOCore

/// Sits before the HTTP decoder: a head's clock runs from its first byte, also when that came with the end of the request
/// before it.
final class FirstByteHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ClientConnection

    init(_ connection: ClientConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let now = NIODeadline.now()
        let ended = self.connection.requestsComplete
        self.connection.clock.bytesArrived(now)
        context.fireChannelRead(data)
        guard self.connection.requestsComplete != ended else { return }
        if RequestEnd.isFollowed(in: self.unwrapInboundIn(data), body: self.connection.bodyTail) {
            self.connection.clock.bytesArrived(now)
        }
    }
}
