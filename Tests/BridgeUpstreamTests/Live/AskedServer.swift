import NIOCore
import NIOHTTP1
import NIOPosix

/// A server over HTTP that tells what it is asked and when a connection ends, and gives each request the same answer.
final class AskedServer: Sendable {
    enum Event: Sendable, Equatable {
        case asked(HTTPMethod, body: String)
        case closed
    }

    let events: EventLog<Event>
    private let channel: any Channel

    private init(_ channel: any Channel, _ events: EventLog<Event>) {
        self.channel = channel
        self.events = events
    }

    /// - Parameter answer: as it goes over the connection.
    static func open(answering answer: String) async throws -> AskedServer {
        let events = EventLog<Event>()
        let channel = try await ServerBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(
                        ByteToMessageHandler(HTTPRequestDecoder()), Answering(answer, events))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return AskedServer(channel, events)
    }

    var url: String { "http://127.0.0.1:\(self.channel.localAddress?.port ?? 0)/mcp" }

    func close() async throws { try await self.channel.close() }

    private final class Answering: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = ByteBuffer

        private let answer: String
        private let events: EventLog<Event>
        private var method = HTTPMethod.GET
        private var body = ""

        init(_ answer: String, _ events: EventLog<Event>) {
            self.answer = answer
            self.events = events
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch Self.unwrapInboundIn(data) {
            case .head(let head): self.method = head.method
            case .body(let bytes): self.body += String(buffer: bytes)
            case .end:
                self.events.append(.asked(self.method, body: self.body))
                self.body = ""
                context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: self.answer)), promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { self.events.append(.closed) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
