import NIOCore
import NIOHTTP1

/// Sits behind the HTTP decoder, where a request's version and target are still as the client wrote them.
final class RequestLineHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private let connection: ClientConnection

    init(_ connection: ClientConnection) { self.connection = connection }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(var head) = self.unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        // The decoder stops at a request to upgrade: what follows on the connection would never be read.
        self.connection.nextIsLast = !head.isKeepAlive || head.headers.contains(name: "upgrade")
        guard head.uri.utf8.first != UInt8(ascii: "/") else { return context.fireChannelRead(data) }
        // Meant for a proxy. The codec would make a path of it and forget whose; "*" is refused at the door.
        head.uri = "*"
        context.fireChannelRead(self.wrapInboundOut(.head(head)))
    }
}
