import BridgeCore
import NIOCore

/// Writes frames to a channel, with one flush per turn of the event loop.
///
/// Small frames share one buffer; a large payload is handed over as it is. Confined to the channel's event loop.
final class FrameWriter {
    /// Payloads above this many bytes are not copied.
    private static let copyLimit = 16 << 10

    private let channel: any Channel
    private var buffer: ByteBuffer
    private var scheduled = false

    init(channel: any Channel) {
        self.channel = channel
        self.buffer = channel.allocator.buffer(capacity: 4096)
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
        guard !self.scheduled else { return }
        self.scheduled = true
        self.channel.eventLoop.assumeIsolated().execute { self.flush() }
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

    private func flush() {
        self.scheduled = false
        if self.buffer.readableBytes > 0 { self.handOver(nil) }
        self.channel.flush()
    }

    private func handOver(_ promise: EventLoopPromise<Void>?) {
        self.channel.write(self.buffer, promise: promise)
        self.buffer = self.channel.allocator.buffer(capacity: 4096)
    }
}
