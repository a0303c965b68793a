import Testing

@testable import BridgeUpstream

@Suite("Escape sequences") struct EscapeSequenceTests {
    @Test(
        arguments: [
            ("\u{1B}[31mx", 5), ("\u{1B}[0;1;38:5:9mx", 13), ("\u{1B}[2Kx", 4), ("\u{1B}[?25hx", 6), ("\u{1B}[!px", 4),
            ("\u{1B}]0;a title\u{7}x", 12), ("\u{1B}]8;;http://x\u{1B}\\x", 15), ("\u{1B}Pq\u{1B}\\x", 5),
            ("\u{1B}(Bx", 3), ("\u{1B}7x", 2), ("\u{1B}cx", 2), ("\u{9B}31mx", 5),
            ("\u{1B}{\"id\":1}", nil), ("\u{1B}", nil), ("\u{1B}[", nil), ("\u{1B}[31", nil), ("\u{1B}]0;never", nil),
            ("\u{1B}\u{1}", nil), ("x", nil), ("\u{9C}", nil), ("\u{1B}(", nil),
        ] as [(String, Int?)])
    func `a sequence ends where its grammar says`(text: String, end: Int?) {
        let bytes = Array("ab".utf8) + Array(text.utf8)
        bytes.withUnsafeBytes { bytes in
            #expect(EscapeSequence.end(in: bytes, at: 2) == end.map { $0 + 2 })
        }
    }

    @Test func `one that does not end for long is none`() {
        let bytes = Array("\u{1B}]0;".utf8) + Array(repeating: UInt8(ascii: "t"), count: 1 << 14) + [7]
        bytes.withUnsafeBytes { #expect(EscapeSequence.end(in: $0, at: 0) == nil) }
    }
}
