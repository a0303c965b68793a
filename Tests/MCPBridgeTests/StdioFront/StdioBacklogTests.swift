import NIOCore
import Testing

@testable import mcp_bridge

@Suite("Stdio backlog") struct StdioBacklogTests {
    private let much = ByteBuffer(repeating: 0x20, count: StdioBacklog.full + 1)

    @Test func `it says once that it is full, and once more when it has been emptied and is full again`() {
        var backlog = StdioBacklog()
        var told = [backlog.fills()]
        for _ in 0..<2 {
            backlog.append(self.much, isOwn: false)
            told += [backlog.fills(), backlog.fills()]
            _ = backlog.take()
        }
        #expect(told == [false, true, false, true, false])
    }

    @Test func `who is told late that it was emptied finds it full again`() {
        var backlog = StdioBacklog()
        backlog.append(self.much, isOwn: false)
        _ = backlog.fills()
        let taken = backlog.take()
        #expect(taken.wasFull)
        #expect(!backlog.isFull)
        // The relay fills it before it hears of that, and stops reading.
        backlog.append(self.much, isOwn: false)
        let isToldAgain = backlog.fills()
        #expect(isToldAgain)
        #expect(backlog.isFull)
    }

    @Test func `lines are taken in their order, and answers of our own are counted until then`() {
        var backlog = StdioBacklog()
        backlog.append(ByteBuffer(string: "one\n"), isOwn: false)
        backlog.append(ByteBuffer(string: "two\n"), isOwn: true)
        #expect(backlog.own == 4)
        let taken = backlog.take()
        #expect(String(buffer: taken.output) == "one\ntwo\n")
        #expect(!taken.wasFull)
        #expect(backlog.own == 0)
        let nothing = backlog.take()
        #expect(nothing.output.readableBytes == 0)
    }
}
