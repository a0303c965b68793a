import NIOCore

/// Sits before the HTTP decoder: a head's clock runs from its first byte.
final class FirstByteHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ClientConnection

    init(_ connection: ClientConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.connection.clock.bytesArrived(.now())
        context.fireChannelRead(data)
    }
}
