import NIOCore
import NIOTestUtils
import Testing

@testable import BridgeUpstream

@Suite("Line decoder") struct LineDecoderTests {
    private func lines(_ text: String, maximum: Int = 100) throws -> [LineDecoder.Line] {
        let processor = NIOSingleStepByteToMessageProcessor(LineDecoder(maximumOctets: maximum))
        var lines: [LineDecoder.Line] = []
        try processor.process(buffer: ByteBuffer(string: text)) { lines.append($0) }
        try processor.finishProcessing(seenEOF: true) { lines.append($0) }
        return lines
    }

    @Test func `it gives the same lines however the bytes come`() throws {
        let long = String(repeating: "y", count: 30)
        try ByteToMessageDecoderVerifier.verifyDecoder(
            stringInputOutputPairs: [
                ("one\n", [.whole(ByteBuffer(string: "one"))]),
                ("\ntwo\r\n", [.whole(ByteBuffer()), .whole(ByteBuffer(string: "two\r"))]),
                ("12345678\n", [.whole(ByteBuffer(string: "12345678"))]),
                ("\(long)\nafter\n", [.overlong(ByteBuffer(string: "yyyyyyyy")), .whole(ByteBuffer(string: "after"))]),
                ("123456789\n", [.overlong(ByteBuffer(string: "12345678"))]),
            ],
            decoderFactory: { LineDecoder(maximumOctets: 8) }
        )
    }

    @Test func `a line of the very limit passes and one byte more does not`() throws {
        #expect(try self.lines("12345\n", maximum: 5) == [.whole(ByteBuffer(string: "12345"))])
        #expect(try self.lines("123456\n", maximum: 5) == [.overlong(ByteBuffer(string: "12345"))])
    }

    @Test func `an overlong line is reported before its end is seen, and holds no memory`() throws {
        let processor = NIOSingleStepByteToMessageProcessor(LineDecoder(maximumOctets: 1_000))
        var lines: [LineDecoder.Line] = []
        for _ in 0..<100 {
            try processor.process(buffer: ByteBuffer(repeating: UInt8(ascii: "x"), count: 100)) { lines.append($0) }
        }
        #expect(lines.count == 1)
        #expect(processor.unprocessedBytes == 0)
        try processor.process(buffer: ByteBuffer(string: "x\nnext\n")) { lines.append($0) }
        #expect(lines.last == .whole(ByteBuffer(string: "next")))
    }

    @Test func `what stands behind the last line end is told at the end, unless it belongs to an overlong line`() throws
    {
        #expect(try self.lines("a\nb") == [.whole(ByteBuffer(string: "a")), .unfinished(ByteBuffer(string: "b"))])
        #expect(try self.lines("123456", maximum: 5) == [.overlong(ByteBuffer(string: "12345"))])
        #expect(try self.lines("") == [])
    }
}
