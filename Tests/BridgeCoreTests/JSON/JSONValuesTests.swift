import NIOCore
import Testing

@testable import BridgeCore

@Suite("JSON values") struct JSONValuesTests {
    private func json(_ text: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: text)) }

    @Test(arguments: [
        (#""""#, ""), (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
        (#""\u0041\u00e9\u20AC""#, "Aé€"),
        (#""\u0000x""#, "\u{0}x"), (#""\ud83d\ude00""#, "😀"), (#""a\ud83d\ude00b""#, "a😀b"),
        (#""\uDBFF\uDFFF""#, "\u{10FFFF}"),
        // Surrogates without their partner.
        (#""\ud83d""#, "\u{FFFD}"), (#""\ude00""#, "\u{FFFD}"), (#""\ude00\ud83d""#, "\u{FFFD}\u{FFFD}"),
        (#""\ud83dx""#, "\u{FFFD}x"), (#""\ud83d\n""#, "\u{FFFD}\n"), (#""\ud83d\u0041""#, "\u{FFFD}A"),
        (#""\ud83d\ud83d\ude00""#, "\u{FFFD}😀"), (#""\ud83d\\ude00""#, "\u{FFFD}\\ude00"), (#""日本\u0021😀""#, "日本!😀"),
        (
            #""a string much longer than a word \u0026 then some more of it""#,
            "a string much longer than a word & then some more of it"
        ),
    ])
    func `strings are decoded`(text: String, expected: String) throws {
        let string = try #require(try self.json(text).string)
        #expect(Array(string.utf8) == Array(expected.utf8))
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("7", 7), ("-12", -12), ("9223372036854775807", Int.max),
            ("-9223372036854775808", Int.min),
            ("9007199254740993", 9_007_199_254_740_993), ("9223372036854775808", nil), ("-9223372036854775809", nil),
            ("18446744073709551616", nil), ("100000000000000000000000000", nil), ("1.0", nil), ("1e3", nil),
            ("0e0", nil), ("\"1\"", nil),
            ("true", nil), ("null", nil), ("[1]", nil),
        ] as [(String, Int?)])
    func `integers are exact or none`(text: String, expected: Int?) throws {
        #expect(try self.json(text).int == expected)
    }

    @Test(
        arguments: [
            ("0", 0), ("-1.5", -1.5), ("1e3", 1000), ("1E-2", 0.01), ("5e-324", Double.leastNonzeroMagnitude),
            ("1e-400", 0), ("0.1", 0.1), ("12", 12), ("1e400", nil),
            ("-1e400", nil), ("\"1\"", nil), ("1.7976931348623157e308", Double.greatestFiniteMagnitude),
        ] as [(String, Double?)])
    func `doubles are the nearest finite one or none`(text: String, expected: Double?) throws {
        #expect(try self.json(text).double == expected)
    }

    @Test func `members decode in one step, and only as what they are`() throws {
        let json = try self.json(#"{"s":"x","i":3,"d":1.5,"b":false,"n":null}"#)
        #expect(json.string("s") == "x")
        #expect(json.int("i") == 3)
        #expect(json.double("d") == 1.5)
        #expect(json.double("i") == 3)
        #expect(json.bool("b") == false)
        #expect(json.string("i") == nil)
        #expect(json.int("s") == nil)
        #expect(json.bool("n") == nil)
        #expect(json.string("missing") == nil)
    }

    @Test func `texts made from values are JSON`() throws {
        #expect(JSONText("a\"b\n").description == #""a\"b\n""#)
        #expect(JSONText(-5).description == "-5")
        #expect(JSONText(literal: #"{"open":true}"#).bool("open") == true)
        #expect(JSONText.emptyObject.description == "{}")
        #expect(JSONText.emptyArray.kind == .array)
        #expect(JSONText.null.isNull)
        #expect(JSONText.true.bool == true)
        #expect(JSONText.false.bool == false)
    }

    @Test func `texts are equal by their bytes`() throws {
        #expect(try self.json(" [1]") == self.json("[1] "))
        #expect(try self.json("[1.0]") != self.json("[1]"))
        let inner = try self.json(#"{"a":[1]}"#)
        #expect(inner.value("a") == JSONText(literal: "[1]"))
        #expect(inner.value("a")?.hashValue == JSONText(literal: "[1]").hashValue)
    }
}
