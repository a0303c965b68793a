import NIOCore
import Testing

@testable import BridgeCore

/// Every class of malformed UTF-8, at every distance from the start of a word.
@Suite("JSON and UTF-8") struct JSONUTF8Tests {
    private static let malformed: [(String, [UInt8])] = [
        ("a stray continuation", [0x80]), ("a stray continuation", [0xBF]), ("two stray continuations", [0x80, 0x80]),
        ("an overlong slash in two", [0xC0, 0xAF]), ("an overlong letter in two", [0xC1, 0x81]),
        ("an overlong NUL", [0xC0, 0x80]),
        ("two without the second", [0xC3]), ("two with ASCII", [0xC3, 0x41]), ("two with a lead", [0xC3, 0xC3]),
        ("one continuation too many", [0xC3, 0xA9, 0xA9]),
        ("an overlong form in three", [0xE0, 0x80, 0xAF]), ("the last overlong form in three", [0xE0, 0x9F, 0xBF]),
        ("the first surrogate", [0xED, 0xA0, 0x80]), ("the last surrogate", [0xED, 0xBF, 0xBF]),
        ("a surrogate pair", [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0xB9]),
        ("three without the third", [0xE2, 0x82]), ("three without the second", [0xE2]),
        ("three with ASCII", [0xE2, 0x82, 0x41]),
        ("three with a lead", [0xE2, 0x82, 0xE2]), ("three, then overlong", [0xE2, 0x82, 0xAC, 0xE0, 0x82, 0xAC]),
        ("three, then a surrogate", [0xE2, 0x82, 0xAC, 0xED, 0xA2, 0xAC]),
        ("an overlong form in four", [0xF0, 0x80, 0x80, 0xAF]),
        ("the last overlong form in four", [0xF0, 0x8F, 0xBF, 0xBF]),
        ("beyond U+10FFFF", [0xF4, 0x90, 0x80, 0x80]), ("a lead beyond", [0xF5, 0x80, 0x80, 0x80]),
        ("a lead far beyond", [0xF7, 0xBF, 0xBF, 0xBF]),
        ("four without the fourth", [0xF0, 0x9F, 0x98]), ("four without the third", [0xF0, 0x9F]),
        ("four with ASCII", [0xF0, 0x9F, 0x98, 0x41]),
        ("five bytes", [0xF8, 0x88, 0x80, 0x80, 0x80]), ("six bytes", [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80]),
        ("never a byte", [0xFE]), ("never a byte", [0xFF]), ("Latin-1", [0x63, 0x61, 0x66, 0xE9]),
    ]

    @Test(arguments: malformed)
    func `is refused in values and keys`(what: String, bytes: [UInt8]) {
        for padding in 0...17 {
            for filler in ["a", "é", "日", "😀"] {
                let before = Array(String(repeating: filler, count: padding).utf8)
                for after in [0, 1, 9] {
                    let string =
                        [UInt8(ascii: "\"")] + before + bytes + Array(repeating: UInt8(ascii: "z"), count: after) + [
                            UInt8(ascii: "\"")
                        ]
                    let error = #expect(throws: JSONError.self) { try JSONText(validating: ByteBuffer(bytes: string)) }
                    #expect(error?.code == .invalidUTF8)
                    #expect(!JSONReference.accepts(string))
                    let object = Array("{".utf8) + string + Array(":0}".utf8)
                    #expect(throws: JSONError.self) { try JSONText(validating: ByteBuffer(bytes: object)) }
                }
            }
        }
    }

    @Test func `outside strings nothing beyond ASCII is allowed`() {
        for bytes in [[0xEF, 0xBB, 0xBF, 0x31], [0x31, 0xC2, 0xA0], [0x5B, 0xE2, 0x80, 0xA8, 0x5D], [0x80]] as [[UInt8]]
        {
            #expect(throws: JSONError.self) { try JSONText(validating: ByteBuffer(bytes: bytes)) }
        }
    }

    @Test func `every scalar is accepted, and read back`() throws {
        // One text for each plane's stretch, so that scalars of all lengths meet every position in a word.
        var scalar: UInt32 = 0x20
        while scalar <= 0x10FFFF {
            var string = ""
            for _ in 0..<509 where scalar <= 0x10FFFF {
                if let valid = Unicode.Scalar(scalar) { string.unicodeScalars.append(valid) }
                scalar += scalar < 0x3000 ? 1 : 37
            }
            let written = JSONText(string)
            let read = try JSONText(validating: written.bytes)
            #expect(read.string.map { Array($0.utf8) } == Array(string.utf8))
        }
    }

    @Test func `all pairs of bytes beyond ASCII are judged as the standard library judges them`() {
        for first in UInt8(0x80)...0xFF {
            for second in UInt8.min...0xFF where second != 0x22 && second != 0x5C && second >= 0x20 {
                for tail in [[], [0x80], [0xBF, 0x80], [0x41]] as [[UInt8]] {
                    let content = [0x61, first, second] + tail
                    for padded in [content, content + Array(repeating: 0x62, count: 9)] {
                        let isValid = String(validating: padded, as: UTF8.self) != nil
                        let text = ByteBuffer(bytes: [0x22] + padded + [0x22])
                        let accepted = (try? JSONText(validating: text)) != nil
                        if accepted != isValid { Issue.record("\(padded) accepted: \(accepted)") }
                    }
                }
            }
        }
    }
}
