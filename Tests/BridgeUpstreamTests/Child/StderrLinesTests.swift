import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Stderr lines") struct StderrLinesTests {
    private let t0 = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    @Test func `lines come whole however they are cut, empty ones not at all`() {
        var lines = StderrLines()
        var seen: [String] = []
        for piece in ["he", "llo\n\nwor", "ld", "\n", "rest"] {
            lines.feed(ByteBuffer(string: piece), now: self.t0) { seen.append(String(buffer: $0)) }
        }
        #expect(seen == ["hello", "world"])
        lines.finish(now: self.t0) { seen.append(String(buffer: $0)) }
        #expect(seen == ["hello", "world", "rest"])
    }

    @Test func `a long line is cut, and the next is not harmed`() {
        var lines = StderrLines()
        var sizes: [Int] = []
        for _ in 0..<100 {
            lines.feed(ByteBuffer(repeating: UInt8(ascii: "x"), count: 1_000), now: self.t0) {
                sizes.append($0.readableBytes)
            }
        }
        lines.feed(ByteBuffer(string: "\nshort\n"), now: self.t0) { sizes.append($0.readableBytes) }
        #expect(sizes == [StderrLines.maximumOctets, 5])
    }

    @Test func `a flood is counted, and the next second is open again`() {
        var lines = StderrLines(perSecond: 3)
        var seen: [String] = []
        let flood = ByteBuffer(string: (0..<1_000).map { "line \($0)\n" }.joined() + "unfin")
        lines.feed(flood, now: self.t0) { seen.append(String(buffer: $0)) }
        #expect(seen == ["line 0", "line 1", "line 2"])
        #expect(lines.takeDropped() == 997)
        lines.feed(ByteBuffer(string: "ished\nnext\n"), now: self.t0 + .seconds(1)) { seen.append(String(buffer: $0)) }
        #expect(seen.suffix(2) == ["unfinished", "next"])
        #expect(lines.dropped == 0)
    }
}

@Suite("Foreign text") struct ForeignTextTests {
    @Test(arguments: [
        ("plain", "plain"), ("\u{1B}[31mred\u{1B}[0m!", "red!"), ("a\u{07}b\u{9B}c", "a\u{FFFD}b\u{FFFD}c"),
        ("tab\tstays\r", "tab\tstays"), ("ünï", "ünï"),
    ])
    func `terminal controls do not reach the log`(text: String, expected: String) {
        #expect(ForeignText.printable(ByteBuffer(string: text), limit: 100) == expected)
    }

    @Test func `it is cut where the limit is`() {
        #expect(ForeignText.printable(ByteBuffer(string: "abcdef"), limit: 3) == "abc…")
    }

    @Test func `bytes that are not UTF-8 are repaired as configured`() {
        var bytes = ByteBuffer(string: "a")
        bytes.writeBytes([0xFF, 0xC3])
        bytes.writeString("b")
        #expect(UTF8Repair.repaired(bytes, .strict) == nil)
        #expect(UTF8Repair.repaired(bytes, .ignore) == ByteBuffer(string: "ab"))
        #expect(UTF8Repair.repaired(bytes, .replace) == ByteBuffer(string: "a\u{FFFD}\u{FFFD}b"))
        #expect(UTF8Repair.repaired(ByteBuffer(string: "ü"), .replace) == nil)
    }
}
