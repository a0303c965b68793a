import BridgeCore
import NIOCore

/// Writes frames to a channel, with one flush per turn of the event loop.
///
/// Small frames share one buffer; a large payload is handed over as it is. Confined to the channel's event loop.
final class FrameWriter {
    /// Payloads above this many bytes are not copied.
    static let copyLimit = 16 << 10
    /// A buffer that has grown beyond this many bytes is not kept for the next turn.
    private static let keptOctets = 16 << 10

    private let channel: any Channel
    private var buffer: ByteBuffer
    private var scheduled = false
    /// Made once, since every turn needs it.
    private var flushLater: (@Sendable () -> Void) = {}

    init(channel: any Channel) {
        self.channel = channel
        self.buffer = channel.allocator.buffer(capacity: 4096)
        let this = NIOLoopBound(WeakWriter(writer: self), eventLoop: channel.eventLoop)
        self.flushLater = { this.value.writer?.flush() }
    }

    private struct WeakWriter {
        weak var writer: FrameWriter?
    }

    /// - Parameter hold: let go of once the payload has left, or cannot any more.
    func write(_ frame: Frame, promise: EventLoopPromise<Void>? = nil, hold: PayloadHold? = nil) {
        if let payload = frame.payload, payload.readableBytes > Self.copyLimit {
            frame.encode(into: &self.buffer, inlinePayload: false)
            self.handOver(nil)
            self.channel.write(payload, promise: self.promise(holding: hold))
            self.channel.write(Frame.tail, promise: promise)
        } else {
            frame.encode(into: &self.buffer)
            if let promise { self.handOver(promise) }
        }
        self.flushSoon()
    }

    /// Writes a frame whose payload of less than ``copyLimit`` bytes is appended to what leaves, by `body`.
    func write(_ frame: Frame, octets: Int, writing body: (inout ByteBuffer) -> Void) {
        frame.encode(into: &self.buffer, octets: octets, writing: body)
        self.flushSoon()
    }

    /// Calls back once the kernel has taken all that was written so far, or the channel is gone.
    func whenWritten(_ body: @escaping () -> Void) {
        let promise = self.channel.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in body() }
        self.handOver(promise)
        self.channel.flush()
    }

    private func promise(holding hold: PayloadHold?) -> EventLoopPromise<Void>? {
        guard let hold else { return nil }
        let left = self.channel.eventLoop.makePromise(of: Void.self)
        left.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(hold) {} }
        return left
    }

    private func flushSoon() {
        guard !self.scheduled else { return }
        self.scheduled = true
        self.channel.eventLoop.execute(self.flushLater)
    }

    private func flush() {
        self.scheduled = false
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

    private func handOver(_ promise: EventLoopPromise<Void>?) {
        self.channel.write(self.buffer, promise: promise)
        self.buffer = ByteBuffer()
    }
}
