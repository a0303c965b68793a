import BridgeCore
import BridgeTesting
import NIOCore
import Testing

@Suite("Half surrogate pairs") struct JSONSurrogatesTests {
    @Test(arguments: [
        (#""cut \ud83d""#, #""cut \ufffd""#), (#""\uDE00 first""#, #""\ufffd first""#),
        (#""\ud83d\ud83d\ude00""#, #""\ufffd\ud83d\ude00""#), (#""\ud83dA\ude00""#, #""\ufffdA\ufffd""#),
        (#"{"\udead":["\\ud83d","\ud83d\n"]}"#, #"{"\ufffd":["\\ud83d","\ufffd\n"]}"#),
    ])
    func `each half is replaced, and nothing else`(_ text: String, _ wanted: String) throws {
        let mended = try JSONText(validating: ByteBuffer(string: text)).mendedSurrogates
        #expect(mended?.description == wanted)
    }

    @Test(arguments: [#""plain""#, #""\ud83d\ude00""#, #""\\ud83d""#, #""é\u00e9""#, "[]", #""\\""#])
    func `a text without any is left alone`(_ text: String) throws {
        #expect(try JSONText(validating: ByteBuffer(string: text)).mendedSurrogates == nil)
    }

    @Test func `what validates a text sees them, and its parts know of it`() throws {
        let json = try JSONText(validating: ByteBuffer(string: #"{"a":1,"b":["x","\ud83d"]}"#))
        #expect(json.mayHaveHalfPairs)
        #expect(json.value("b")?.withWholePairs.description == #"["x","\ufffd"]"#)
        #expect(try !JSONText(validating: ByteBuffer(string: #"["\ud83d\ude00","\\ud83d"]"#)).mayHaveHalfPairs)
        #expect(throws: JSONError.self) { try JSONText(validating: ByteBuffer(string: #""\ud83d\udexx""#)) }
    }

    @Test func `generated texts are readable afterwards, and keep their length`() throws {
        var random = SeededRandom(seed: 7)
        let pieces = [#"\ud83d"#, #"\ude00"#, #"\\"#, #"\u00e9"#, "a", #"\uDBFF\uDFFF"#, #"\""#, "ü"]
        for _ in 0..<2_000 {
            let text = "\"" + (0..<8).map { _ in pieces.randomElement(using: &random) ?? "" }.joined() + "\""
            let json = try JSONText(validating: ByteBuffer(string: text))
            let mended = json.mendedSurrogates ?? json
            #expect(json.mayHaveHalfPairs == (json.mendedSurrogates != nil), "\(text)")
            #expect(json.withWholePairs == mended)
            #expect(mended.count == json.count)
            #expect(mended.mendedSurrogates == nil, "\(text)")
            #expect(mended.string?.unicodeScalars.count == json.string?.unicodeScalars.count, "\(text)")
        }
    }
}
