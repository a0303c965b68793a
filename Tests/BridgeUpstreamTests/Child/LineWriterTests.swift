import BridgeCore
import BridgeProcess
import Foundation
import NIOCore
import NIOPosix
import Testing

@testable import BridgeUpstream

@Suite("Line writer") struct LineWriterTests {
    /// What a child would read of one message.
    private func written(_ text: String, replacing edits: [(JSONSpan, ByteBuffer)] = []) async throws -> String {
        let pipe = try Pipe.make()
        let reader = FileHandle(fileDescriptor: pipe.reading, closeOnDealloc: true)
        let channel = try await NIOPipeBootstrap(group: NIOSingletons.posixEventLoopGroup)
            .takingOwnershipOfDescriptor(output: pipe.writing).get()
        let loop = channel.eventLoop
        async let told = withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: try? reader.readToEnd()) }
        }
        try await loop.submit {
            let writer = LineWriter(channel: channel)
            writer.write(JSONText(trusting: ByteBuffer(string: text)), replacing: edits, hold: nil)
            writer.flush()
        }.get()
        try await channel.writeAndFlush(ByteBuffer()).get()
        try await channel.close().get()
        return String(decoding: await told ?? Data(), as: UTF8.self)
    }

    private func span(_ lower: Int, _ upper: Int) -> JSONSpan {
        JSONSpan(lowerBound: lower, upperBound: upper, kind: .number)
    }

    @Test(arguments: [0, 1, 63, 64, 65, 4_000, 40_000, 200_000])
    func `a message is one line, whatever its size, with only what is to be replaced replaced`(size: Int) async throws {
        let filler = String(repeating: "é\\n", count: size / 4)
        let text = #"{"id":123,"x":"\#(filler)","y":45,"z":[]}"#
        let position = 21 + filler.utf8.count
        let edits = [
            (self.span(6, 9), ByteBuffer(string: "7")),
            (self.span(position, position + 2), ByteBuffer(string: #""n""#)),
        ]
        #expect(try await self.written(text) == text + "\n")
        #expect(
            try await self.written(text, replacing: edits)
                == #"{"id":7,"x":"\#(filler)","y":"n","z":[]}"# + "\n")
    }

    @Test(arguments: [0, 61, 62, 63, 64, 130, 50_000])
    func `line ends between tokens become blanks, tabs stay`(size: Int) async throws {
        let filler = String(repeating: "x", count: size)
        let text = "{\r\n\t\"a\":\"\(filler)\"\n,\r\"b\":\n1}"
        let told = try await self.written(text)
        #expect(told == "{  \t\"a\":\"\(filler)\" , \"b\": 1}\n")
    }
}
