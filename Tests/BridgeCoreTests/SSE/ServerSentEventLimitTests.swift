import BridgeTesting
import NIOCore
import Testing

@testable import BridgeCore

@Suite("Server-sent event limits") struct ServerSentEventLimitTests {
    private static let limit = 64

    private func isRefused(_ stream: String, cut: Int = 7) throws -> Bool {
        let bytes = Array(stream.utf8)
        do throws(any Error) {
            _ = try events(
                in: pieces(of: bytes, at: Array(stride(from: cut, to: bytes.count, by: cut))), maximumEvent: Self.limit)
            return false
        } catch let error as ServerSentEventError {
            #expect(error == .tooLarge(limit: Self.limit))
            #expect("\(error)".contains("\(Self.limit) bytes"))
            return true
        }
    }

    @Test func `the lines of one event are counted together, and those of the next anew`() throws {
        let line = "data:" + String(repeating: "x", count: 27) + "\n"
        #expect(try !self.isRefused(line + line + "\n" + line + line + "\n"))
        #expect(try self.isRefused(line + line + "data\n\n"))
    }

    @Test func `a line without an end is refused once it is too long`() throws {
        #expect(try !self.isRefused("data:" + String(repeating: "x", count: 59) + "\n\n"))
        #expect(try self.isRefused("data:" + String(repeating: "x", count: 60)))
        #expect(try self.isRefused(":" + String(repeating: "x", count: 64)))
    }

    @Test func `comments between events cost nothing`() throws {
        #expect(try !self.isRefused(String(repeating: ": keep-alive\n\n", count: 100) + "data: a\n\n"))
    }

    @Test func `an event of sixteen megabytes comes in pieces in linear time`() throws {
        let piece = ByteBuffer(repeating: UInt8(ascii: "x"), count: 1 << 16)
        let processor = NIOSingleStepByteToMessageProcessor(ServerSentEventDecoder())
        var found = 0
        try processor.process(buffer: ByteBuffer(string: "data: ")) { _ in found += 1 }
        for _ in 0..<256 { try processor.process(buffer: piece) { _ in found += 1 } }
        #expect(found == 0)
        try processor.process(buffer: ByteBuffer(string: "\n\n")) { event in
            found += 1
            #expect(event.data?.readableBytes == 1 << 24)
        }
        #expect(found == 1)
    }
}

@Suite("Server-sent event fuzzing") struct ServerSentEventFuzzTests {
    /// Pieces from which streams are put together that come near to meaning something.
    private static let words: [[UInt8]] =
        [
            "data", "data:", "data: ", "id", "id:", "id: 7", "event:", "event: x", "retry:", "retry: 12", "retry: 1x",
            ":",
            " ", "\n", "\n", "\n\n", "\r", "\r\n", "\r\n\r\n", "\n\r", "\0", "\u{FEFF}", "é", "dat", "a", "{}",
            "12345678",
        ].map { Array($0.utf8) } + [[0xEF], [0xBB], [0xBF], [0xFF]]

    @Test(arguments: 0..<40) func `reads what the standard's own algorithm reads`(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        for _ in 0..<400 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<24, using: &random) {
                if Int.random(in: 0..<12, using: &random) == 0 {
                    bytes.append(.random(in: .min ... .max, using: &random))
                } else {
                    bytes += Self.words[Int.random(in: 0..<Self.words.count, using: &random)]
                }
            }
            let rarity = Int.random(in: 1...9, using: &random)
            let cuts = bytes.indices.filter { _ in Int.random(in: 0..<rarity, using: &random) == 0 }
            let found = try events(in: pieces(of: bytes, at: cuts))
            guard found == ReferenceEventStream.events(of: bytes) else {
                Issue.record("\(bytes), cut at \(cuts): \(found)")
                return
            }
        }
    }

    @Test func `whatever comes, it is read or refused`() throws {
        var random = SeededRandom(seed: 4)
        for _ in 0..<2_000 {
            let bytes = (0..<200).map { _ in Self.words[Int.random(in: 0..<Self.words.count, using: &random)] }.joined()
            let cuts = [Int.random(in: 0...bytes.count, using: &random)]
            do {
                _ = try events(
                    in: pieces(of: Array(bytes), at: cuts), maximumEvent: Int.random(in: 0..<64, using: &random))
            } catch is ServerSentEventError {}
        }
    }
}
