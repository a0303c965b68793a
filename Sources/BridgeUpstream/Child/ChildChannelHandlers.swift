import NIOCore

/// Cuts a child's stdout into lines.
final class StdoutHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let maximumLineOctets: Int
    private var processor: NIOSingleStepByteToMessageProcessor<LineDecoder>
    /// The last line was a whole one of some size.
    private var wasLarge = false
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
        self.maximumLineOctets = maximumLineOctets
        self.processor = NIOSingleStepByteToMessageProcessor(LineDecoder(maximumOctets: maximumLineOctets))
        self.onBytes = onBytes
        self.onLine = onLine
        self.onWritable = onWritable
        self.onClosed = onClosed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        self.onBytes()
        do {
            try self.processor.process(buffer: self.unwrapInboundIn(data)) { line in
                self.wasLarge =
                    if case .whole(let bytes) = line { bytes.readableBytes > Self.keptOctets } else { false }
                self.onLine(line)
            }
        } catch {
            return context.close(promise: nil)
        }
        // It keeps the buffer that it last read from, and with it an answer that nobody else needs any more. Where it throws
        // the rest of a line away, it has to remember that.
        guard self.wasLarge, self.processor.unprocessedBytes == 0 else { return }
        self.wasLarge = false
        self.processor = NIOSingleStepByteToMessageProcessor(LineDecoder(maximumOctets: self.maximumLineOctets))
    }

    /// What may be kept of a line that has been handed on, in bytes.
    private static let keptOctets = 64 << 10

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
