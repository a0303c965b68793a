import NIOCore
import NIOHTTP1

/// Answers every request in the same way, once it has come whole: as long an answer as the echo server gives to a call
/// with 100 bytes, with the headers that MCP asks for.
final class FixedAnswer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private static let body = ByteBuffer(
        string: #"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":""#
            + String(repeating: "x", count: 100) + #""}],"isError":false}}"#
    )
    private static let head = HTTPResponseHead(
        version: .http1_1, status: .ok,
        headers: [
            "Content-Type": "application/json", "Content-Length": "\(FixedAnswer.body.readableBytes)",
            "Mcp-Session-Id": "bare",
        ]
    )

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .end = Self.unwrapInboundIn(data) else { return }
        context.write(Self.wrapOutboundOut(.head(Self.head)), promise: nil)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(Self.body))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }
}
