package import NIOCore

/// Lets a listening socket rest when the process has no descriptor, or the system no memory, for one more connection. NIO
/// would try again at once, and turn the loop. Every listening socket of the program has one.
///
/// (NIO's `AcceptBackoffHandler` holds the next read back, but after such an error NIO still has the last one pending, and
/// goes on without a further one.) Confined to the channel's event loop.
package final class AcceptPause: ChannelInboundHandler {
    package typealias InboundIn = any Channel
    package typealias InboundOut = any Channel

    private static let pause = TimeAmount.milliseconds(100)
    private var isPaused = false

    package init() {}

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is IOError else { return context.fireErrorCaught(error) }
        guard !self.isPaused else { return }
        self.isPaused = true
        let options = context.channel.syncOptions
        try? options?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            self.isPaused = false
            // Fails where the channel has been closed meanwhile: then there is nothing to accept.
            try? options?.setOption(.autoRead, value: true)
        }
    }
}
