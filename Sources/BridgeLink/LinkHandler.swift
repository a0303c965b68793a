import BridgeCore
import NIOCore

/// Cuts a channel's bytes into frames and hands them to whoever the first of them was for.
///
/// A framing error closes the channel.
final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Takes each frame. Replaced once the hello has told what the connection is.
    var onFrame: (Frame) -> Void
    var onInactive: () -> Void

    private var processor = LinkHandler.makeProcessor()
    /// The last frame had a payload of some size.
    private var wasLarge = false

    init(onFrame: @escaping (Frame) -> Void = { _ in }, onInactive: @escaping () -> Void = {}) {
        self.onFrame = onFrame
        self.onInactive = onInactive
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        do {
            try self.processor.process(buffer: self.unwrapInboundIn(data)) { frame in
                self.wasLarge = (frame.payload?.readableBytes ?? 0) > Self.keptOctets
                self.onFrame(frame)
            }
            // It keeps the buffer that it last read from, and with it a payload that nobody else needs any more.
            if self.wasLarge, self.processor.unprocessedBytes == 0 {
                self.wasLarge = false
                self.processor = Self.makeProcessor()
            }
        } catch {
            context.close(promise: nil)
        }
    }

    /// What may be kept of a frame that has been handed on, in bytes.
    private static let keptOctets = 64 << 10

    private static func makeProcessor() -> NIOSingleStepByteToMessageProcessor<FrameDecoder> {
        NIOSingleStepByteToMessageProcessor(FrameDecoder(), maximumBufferSize: Frame.maximumLength + 4)
    }

    func channelInactive(context: ChannelHandlerContext) {
        let onInactive = self.onInactive
        self.onFrame = { _ in }
        self.onInactive = {}
        onInactive()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// What the first frame of a connection says, both ways.
enum Hello {
    /// - Parameters:
    ///   - link: names the link, so that a bulk connection finds its own.
    static func frame(link: String, bulk: Bool) -> Frame {
        var header = JSONWriter()
        header.object {
            $0.member("link", link)
            $0.member("bulk", bulk)
        }
        return Frame(.hello, header: header.buffer)
    }

    static func read(_ frame: Frame) -> (link: String, bulk: Bool)? {
        guard frame.kind == .hello, frame.header.readableBytes > 0 else { return nil }
        let header = JSONText(trusting: frame.header)
        guard let link = header.string("link") else { return nil }
        return (link, header.bool("bulk") ?? false)
    }
}
