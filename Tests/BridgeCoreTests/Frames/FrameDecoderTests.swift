import NIOCore
import NIOTestUtils
import Testing

@testable import BridgeCore

@Suite("Frame decoder") struct FrameDecoderTests {
    /// The verifier knows decoders with a context only.
    private struct Adapter: ByteToMessageDecoder {
        typealias InboundOut = Frame
        private var decoder = FrameDecoder()

        mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
            self.pass(try self.decoder.decode(buffer: &buffer), context)
        }

        mutating func decodeLast(
            context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
        ) throws -> DecodingState {
            self.pass(try self.decoder.decodeLast(buffer: &buffer, seenEOF: seenEOF), context)
        }

        private func pass(_ frame: Frame?, _ context: ChannelHandlerContext) -> DecodingState {
            guard let frame else { return .needMoreData }
            context.fireChannelRead(Self.wrapInboundOut(frame))
            return .continue
        }
    }

    private func encoded(_ frame: Frame) -> ByteBuffer {
        var buffer = ByteBuffer()
        frame.encode(into: &buffer)
        return buffer
    }

    @Test func `cuts the same frames out of one byte at a time, of many at once and of each whole`() throws {
        // The verifier takes quadratic time; a third of the samples has every shape.
        let pairs = stride(from: 0, to: FrameTests.samples.count, by: 3).map { index in
            (self.encoded(FrameTests.samples[index]), [FrameTests.samples[index]])
        }
        #expect(throws: Never.self) {
            try ByteToMessageDecoderVerifier.verifyDecoder(inputOutputPairs: pairs) { Adapter() }
        }
    }

    @Test(arguments: [UInt32(0), 1, 12, UInt32(Frame.maximumLength) + 1, 1 << 31, .max])
    func `refuses a length out of bounds before it makes room for it`(length: UInt32) {
        var decoder = FrameDecoder()
        var buffer = ByteBuffer()
        buffer.writeInteger(length)
        buffer.writeString("{")
        let room = buffer.storageCapacity
        #expect(throws: FrameError.badLength(length)) { try decoder.decode(buffer: &buffer) }
        #expect(buffer.storageCapacity == room)
    }

    @Test func `takes the largest length, and makes room for it at once`() throws {
        var decoder = FrameDecoder()
        var buffer = ByteBuffer()
        buffer.writeInteger(UInt32(Frame.maximumLength))
        let frame = try decoder.decode(buffer: &buffer)
        #expect(frame == nil)
        #expect(buffer.storageCapacity >= Frame.maximumLength + 4)
    }

    @Test func `a frame's room is not shared with the frames before it`() throws {
        let payload = ByteBuffer(string: "\"" + String(repeating: "x", count: 4 << 20) + "\"")
        let whole = self.encoded(Frame(.bulk, exchange: 1, payload: payload))
        var decoder = FrameDecoder()
        var buffer = ByteBuffer()
        var kept: [Frame] = []
        var bytes = whole
        for _ in 0..<4 { bytes.writeImmutableBuffer(whole) }
        while var piece = bytes.readSlice(length: min(64 << 10, bytes.readableBytes)), piece.readableBytes > 0 {
            buffer.writeBuffer(&piece)
            while let frame = try decoder.decode(buffer: &buffer) { kept.append(frame) }
        }
        #expect(kept.count == 5)
        for frame in kept { #expect((frame.payload?.storageCapacity ?? 0) <= 8 << 20) }
    }

    @Test(arguments: 0..<4)
    func `waits for a length that is not whole`(count: Int) throws {
        var decoder = FrameDecoder()
        var buffer = ByteBuffer(repeating: 0xFF, count: count)
        let frame = try decoder.decode(buffer: &buffer)
        #expect(frame == nil)
        #expect(buffer.readableBytes == count)
    }

    @Test func `says that a stream ended within a frame`() throws {
        let whole = self.encoded(Frame(.end, exchange: 1, header: ByteBuffer(string: "{}")))
        for length in 1..<whole.readableBytes {
            var decoder = FrameDecoder()
            var buffer = try #require(whole.getSlice(at: 0, length: length))
            #expect(throws: FrameError.truncated) { try decoder.decodeLast(buffer: &buffer, seenEOF: true) }
        }
        var decoder = FrameDecoder()
        var empty = ByteBuffer()
        let frame = try decoder.decodeLast(buffer: &empty, seenEOF: true)
        #expect(frame == nil)
    }

    @Test func `survives any bytes`() {
        var generator = JSONGenerator(seed: 1)
        let samples = FrameTests.samples.map { Array(self.encoded($0).readableBytesView) }
        for _ in 0..<5_000 {
            let processor = NIOSingleStepByteToMessageProcessor(
                FrameDecoder(), maximumBufferSize: Frame.maximumLength + 4
            )
            var bytes = (0..<generator.below(4)).flatMap { _ in samples[generator.below(samples.count)] }
            bytes += (0..<generator.below(40)).map { _ in UInt8(truncatingIfNeeded: generator.below(256)) }
            if !bytes.isEmpty {
                bytes[generator.below(bytes.count)] ^= UInt8(truncatingIfNeeded: 1 << generator.below(8))
            }
            var rest = bytes[...]
            do {
                while !rest.isEmpty {
                    let piece = rest.prefix(1 + generator.below(rest.count))
                    rest = rest.dropFirst(piece.count)
                    try processor.process(buffer: ByteBuffer(bytes: piece)) { _ in }
                }
                try processor.finishProcessing(seenEOF: true) { _ in }
            } catch {
                #expect(error is FrameError)
            }
        }
    }

    @Test func `keeps many frames in one read apart, each payload its own`() throws {
        let payloads = (0..<500).map { ByteBuffer(string: "[\($0),\"\(String(repeating: "x", count: $0))\"]") }
        var stream = ByteBuffer()
        for payload in payloads { Frame(.message, exchange: 1, payload: payload).encode(into: &stream) }
        var read: [ByteBuffer?] = []
        let processor = NIOSingleStepByteToMessageProcessor(FrameDecoder())
        try processor.process(buffer: stream) { read.append($0.payload) }
        #expect(read == payloads)
    }
}
