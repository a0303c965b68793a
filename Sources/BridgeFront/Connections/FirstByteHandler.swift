import NIOCore

/// Sits before the HTTP decoder: a head's clock runs from its first byte, also when that came with the end of the request
/// before it.
final class FirstByteHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ClientConnection

    init(_ connection: ClientConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let ended = self.connection.incoming.arrivedEnds
        self.connection.bytesArrive()
        context.fireChannelRead(data)
        guard self.connection.incoming.arrivedEnds != ended else { return }
        self.connection.requestEndArrived(
            isFollowed: RequestEnd.isFollowed(
                in: self.unwrapInboundIn(data), body: self.connection.incoming.bodyTail))
    }
}
