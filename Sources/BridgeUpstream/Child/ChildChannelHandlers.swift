import NIOCore

/// Cuts a child's stdout into lines.
final class StdoutHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let processor: NIOSingleStepByteToMessageProcessor<LineDecoder>
    private let onBytes: () -> Void
    private let onLine: (LineDecoder.Line) -> Void
    private let onWritable: () -> Void
    private let onClosed: () -> Void

    init(
        maximumLineOctets: Int,
        onBytes: @escaping () -> Void,
        onLine: @escaping (LineDecoder.Line) -> Void,
        onWritable: @escaping () -> Void,
        onClosed: @escaping () -> Void
    ) {
        self.processor = NIOSingleStepByteToMessageProcessor(LineDecoder(maximumOctets: maximumLineOctets))
        self.onBytes = onBytes
        self.onLine = onLine
        self.onWritable = onWritable
        self.onClosed = onClosed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.onBytes()
        do {
            try self.processor.process(buffer: self.unwrapInboundIn(data)) { self.onLine($0) }
        } catch {
            context.close(promise: nil)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { self.onWritable() }
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        try? self.processor.finishProcessing(seenEOF: true) { self.onLine($0) }
        self.onClosed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Hands on what a child writes to its stderr, line by line, and once a second how much of it was too much.
final class StderrHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private var lines = StderrLines()
    private var isSummaryDue = false
    private let onLine: (ByteBuffer) -> Void
    private let onDropped: (Int) -> Void
    private let onClosed: () -> Void

    init(
        onLine: @escaping (ByteBuffer) -> Void,
        onDropped: @escaping (Int) -> Void,
        onClosed: @escaping () -> Void
    ) {
        self.onLine = onLine
        self.onDropped = onDropped
        self.onClosed = onClosed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.lines.feed(self.unwrapInboundIn(data), now: .now(), emit: self.onLine)
        guard self.lines.dropped > 0, !self.isSummaryDue else { return }
        self.isSummaryDue = true
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            self.isSummaryDue = false
            self.summarise()
        }
    }

    private func summarise() {
        if self.lines.dropped > 0 { self.onDropped(self.lines.takeDropped()) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.lines.finish(now: .now(), emit: self.onLine)
        self.summarise()
        self.onClosed()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
