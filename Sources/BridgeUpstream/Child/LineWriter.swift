import BridgeCore
import BridgeLink
import NIOCore

/// Writes messages to a child's stdin, each as one line.
///
/// Small ones are gathered in one buffer. Of a large one, the parts that nothing is replaced in are written as they are.
/// Confined to its event loop.
final class LineWriter {
    /// Handed to the channel at once at most, so that its writability is looked at in between.
    private static let chunkOctets = 64 << 10
    /// Parts of a message from so many bytes on are not copied.
    private static let sharedOctets = 32 << 10

    private let channel: any Channel
    private var buffer: ByteBuffer
    /// Of messages whose last bytes are in the buffer.
    private var holds: [PayloadHold] = []

    init(channel: any Channel) {
        self.channel = channel
        self.buffer = Self.makeBuffer()
    }

    private static func makeBuffer() -> ByteBuffer { ByteBufferAllocator().buffer(capacity: 4_096) }

    var isWritable: Bool { self.channel.isWritable }

    /// - Parameters:
    ///   - edits: what is replaced in the message, in ascending order.
    ///   - hold: let go of once the line has left, or cannot any more.
    func write(_ message: JSONText, replacing edits: [(JSONSpan, ByteBuffer)], hold: PayloadHold?) {
        if message.count < Self.sharedOctets {
            let start = self.buffer.writerIndex
            message.write(to: &self.buffer, replacing: edits)
            self.buffer.putOnOneLine(from: start)
        } else {
            var position = 0
            for (span, replacement) in edits {
                self.write(message.bytes, position, span.lowerBound)
                self.buffer.writeImmutableBuffer(replacement)
                position = span.upperBound
            }
            self.write(message.bytes, position, message.count)
        }
        self.buffer.writeInteger(UInt8(ascii: "\n"))
        if let hold { self.holds.append(hold) }
        if self.buffer.readableBytes >= Self.chunkOctets || message.count >= Self.chunkOctets { self.handOver() }
    }

    /// Writes a part of a message, by offsets.
    private func write(_ bytes: ByteBuffer, _ lower: Int, _ upper: Int) {
        guard let part = bytes.getSlice(at: bytes.readerIndex + lower, length: upper - lower) else { return }
        guard part.readableBytes >= Self.sharedOctets, !part.hasLineBreak else {
            let start = self.buffer.writerIndex
            self.buffer.writeImmutableBuffer(part)
            return self.buffer.putOnOneLine(from: start)
        }
        if self.buffer.readableBytes > 0 {
            self.channel.write(self.buffer, promise: nil)
            self.buffer = Self.makeBuffer()
        }
        self.channel.write(part, promise: nil)
    }

    func flush() {
        if self.buffer.readableBytes > 0 { self.handOver() }
        self.channel.flush()
    }

    private func handOver() {
        self.channel.write(self.buffer, promise: self.promise(holding: self.holds))
        self.buffer = Self.makeBuffer()
        self.holds.removeAll(keepingCapacity: true)
    }

    private func promise(holding holds: [PayloadHold]) -> EventLoopPromise<Void>? {
        guard let hold = PayloadHold.all(holds) else { return nil }
        let left = self.channel.eventLoop.makePromise(of: Void.self)
        left.futureResult.assumeIsolated().whenComplete { _ in withExtendedLifetime(hold) {} }
        return left
    }
}

extension ByteBuffer {
    /// Whether a raw LF or CR is in it.
    var hasLineBreak: Bool {
        self.firstOffset(of: UInt8(ascii: "\n"), from: 0) != nil
            || self.firstOffset(of: UInt8(ascii: "\r"), from: 0) != nil
    }
}
