import NIOCore
import Testing

@testable import BridgeCore

/// Long strings are looked at in blocks: what stands anywhere in them must not be missed.
@Suite("Long JSON strings") struct JSONLongStringTests {
    private static let length = 700

    /// A string with `insert` at a position, as a JSON text.
    private func text(_ insert: [UInt8], at position: Int) -> [UInt8] {
        let filler = [UInt8](repeating: UInt8(ascii: "x"), count: Self.length)
        return [UInt8(ascii: "\"")] + filler[..<position] + insert + filler[position...] + [UInt8(ascii: "\"")]
    }

    private func outcome(_ bytes: [UInt8]) -> Result<JSONText, JSONError> {
        Result { () throws(JSONError) in try JSONText(validating: ByteBuffer(bytes: bytes)) }
    }

    @Test(
        arguments: [
            ([0x1F], .controlCharacter), ([0x00], .controlCharacter), ([0x0A], .controlCharacter),
            ([0x80], .invalidUTF8), ([0xFF], .invalidUTF8), ([0xC3, 0x28], .invalidUTF8),
            ([0x5C, 0x78], .invalidEscape),
            ([0x22, 0x78], .trailingBytes),
        ] as [([UInt8], JSONError.Code)])
    func `what may not be in a string is found wherever it is`(insert: [UInt8], code: JSONError.Code) {
        for position in 0...Self.length {
            guard case .failure(let error) = self.outcome(self.text(insert, at: position)) else {
                Issue.record("accepted at \(position)")
                continue
            }
            #expect(error.code == code)
            #expect(abs(error.offset - position - 1) <= 1)
        }
    }

    @Test(arguments: [
        [], [0x5C, 0x22], [0x5C, 0x5C], [0x20], [0x7F], [0xC3, 0xA9], [0xE2, 0x82, 0xAC], [0xF0, 0x9F, 0x98, 0x80],
    ])
    func `what may be in a string is passed over, and what follows is found`(insert: [UInt8]) throws {
        for position in 0...Self.length {
            let string = self.text(insert, at: position)
            let object = Array(#"{"a":"#.utf8) + string + Array(#","b":["#.utf8) + string + Array(#",7]}"#.utf8)
            let whole = try JSONText(validating: ByteBuffer(bytes: object))
            #expect(whole.value("a")?.bytes == ByteBuffer(bytes: string))
            var elements: [JSONText] = []
            let list = try #require(whole.value("b"))
            list.elements { elements.append(list[$0]) }
            #expect(elements.map(\.bytes) == [ByteBuffer(bytes: string), ByteBuffer(string: "7")])
        }
    }

    @Test func `a string that does not end is seen to, whatever its length`() {
        for length in 0...Self.length {
            let bytes = [UInt8(ascii: "\"")] + [UInt8](repeating: UInt8(ascii: "x"), count: length)
            guard case .failure(let error) = self.outcome(bytes) else {
                Issue.record("accepted with \(length)")
                continue
            }
            #expect(error.code == .unexpectedEnd)
        }
    }
}
