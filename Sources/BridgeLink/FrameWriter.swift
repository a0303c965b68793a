import BridgeCore
import NIOCore

/// Writes frames to a channel, with one flush per turn of the event loop.
///
/// Small frames share one buffer; a large payload is handed over as it is. Confined to the channel's event loop.
final class FrameWriter {
    /// Payloads above this many bytes are not copied.
    static let copyLimit = 16 << 10

    private let output: FrameOutput
    /// Made once, since every turn needs it.
    private let flushLater: @Sendable () -> Void

    init(channel: any Channel) {
        let output = FrameOutput(channel)
        let bound = NIOLoopBound(output, eventLoop: channel.eventLoop)
        self.output = output
        self.flushLater = { bound.value.flush() }
    }

    /// - Parameter hold: let go of once the payload has left, or cannot any more.
    func write(_ frame: Frame, promise: EventLoopPromise<Void>? = nil, hold: PayloadHold? = nil) {
        if let payload = frame.payload, payload.readableBytes > Self.copyLimit {
            frame.encode(into: &self.output.buffer, inlinePayload: false)
            self.output.handOver(nil)
            self.output.channel.write(payload, promise: self.promise(holding: hold))
            self.output.channel.write(Frame.tail, promise: promise)
        } else {
            frame.encode(into: &self.output.buffer)
            if let promise { self.output.handOver(promise) }
        }
        self.flushSoon()
    }

    /// Writes a frame whose payload of less than ``copyLimit`` bytes is appended to what leaves, by `body`.
    func write(_ frame: Frame, octets: Int, writing body: (inout ByteBuffer) -> Void) {
        frame.encode(into: &self.output.buffer, octets: octets, writing: body)
        self.flushSoon()
    }

    /// Calls back once the kernel has taken all that was written so far, or the channel is gone.
    func whenWritten(_ body: @escaping () -> Void) {
        let promise = self.output.channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in body() }
        self.output.handOver(promise)
        self.output.channel.flush()
    }

    private func promise(holding hold: PayloadHold?) -> EventLoopPromise<Void>? {
        guard let hold else { return nil }
        let left = self.output.channel.eventLoop.makePromise(of: Void.self)
        left.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(hold) {} }
        return left
    }

    private func flushSoon() {
        guard !self.output.isFlushDue else { return }
        self.output.isFlushDue = true
        self.output.channel.eventLoop.execute(self.flushLater)
    }
}

/// What a writer's frames are gathered in. An object of its own, so that what flushes it later can hold it: it refers to
/// nobody who refers to that. Confined to the channel's event loop.
private final class FrameOutput {
    /// A buffer that has grown beyond this many bytes is not kept for the next turn.
    private static let keptOctets = 16 << 10

    let channel: any Channel
    var buffer: ByteBuffer
    var isFlushDue = false

    init(_ channel: any Channel) {
        self.channel = channel
        self.buffer = channel.allocator.buffer(capacity: 4096)
    }

    func flush() {
        self.isFlushDue = false
        guard self.buffer.readableBytes > 0 else { return self.channel.flush() }
        // Out of reach meanwhile: what is told of the flush may write.
        var leaving = self.buffer
        self.buffer = ByteBuffer()
        self.channel.write(leaving, promise: nil)
        self.channel.flush()
        // The kernel has taken it by now, nearly always, and its memory can be used again.
        guard self.buffer.readableBytes == 0, leaving.storageCapacity <= Self.keptOctets else { return }
        leaving.clear()
        self.buffer = leaving
    }

    func handOver(_ promise: EventLoopPromise<Void>?) {
        self.channel.write(self.buffer, promise: promise)
        self.buffer = ByteBuffer()
    }
}
