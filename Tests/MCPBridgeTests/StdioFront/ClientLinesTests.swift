import BridgeCore
import NIOCore
import Testing

@testable import mcp_bridge

@Suite("Lines of a client") struct ClientLinesTests {
    /// Lines of at most 40 bytes, and the rest when nothing more comes.
    private func lines(_ text: String, piece: Int) -> [String] {
        var lines = ClientLines(maximumLength: 40)
        var bytes = ByteBuffer(string: text)
        var found: [String] = []
        func note(_ line: ClientLines.Line) {
            switch line {
            case .complete(let bytes): found.append(String(buffer: bytes))
            case .tooLong(let line): found.append("too long: \(line.requests)")
            }
        }
        while bytes.readableBytes > 0 {
            let next = bytes.readSlice(length: min(piece, bytes.readableBytes)) ?? ByteBuffer()
            _ = lines.fill { room in
                room.copyBytes(from: next.readableBytesView)
                return next.readableBytes
            }
            while let line = lines.next() { note(line) }
        }
        if let line = lines.rest() { note(line) }
        return found
    }

    @Test(
        arguments: [
            ("one\n\ntwo\n", ["one", "two"]), ("one\ntwo", ["one", "two"]), ("", []), ("\n", []),
            (
                #"{"id":1,"method":"x","params":"\#(String(repeating: "y", count: 200))"}"# + "\nafter",
                ["too long: [1]", "after"]
            ),
            (#"{"params":"\#(String(repeating: "y", count: 200))","method":"x","id":2}"#, ["too long: [2]"]),
        ] as [(String, [String])])
    func `what is left at the end is a line, and one that is too long is read along`(text: String, expected: [String]) {
        for piece in [1, 7, 1_000] { #expect(self.lines(text, piece: piece) == expected, "by \(piece)") }
    }
}
