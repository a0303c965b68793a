import NIOCore
import Testing

@testable import BridgeCore

@Suite("JSON grammar") struct JSONGrammarTests {
    @Test(arguments: [
        "{}", "[]", "null", "true", "false", "0", "-0", "\"\"", " \t\r\n[ \t\r\n] \t\r\n",
        "[[]   ]", "[\"\"]", "[\"a\"]", "[false]", "[null, 1, \"1\", {}]", "[1\n]", " [1]", "[1,null,null,null,2]",
        "[2] ",
        "[123e65]", "[0e+1]", "[0e1]", "[ 4]", "[-0.000000000000000000000000000000000000000000000000001]", "[20e1]",
        "[-123]",
        "[-1]", "[1E22]", "[1E-2]", "[1E+2]", "[123e45]", "[123.456e78]", "[1e-2]", "[1e+2]", "[123]", "[123.456789]",
        "1e99999", "-1e-99999", "123456789012345678901234567890123456789012345678901234567890",
        #"{"asd":"sdf", "dfg":"fgh"}"#, #"{"asd":"sdf"}"#, #"{"a":"b","a":"c"}"#, #"{"a":"b","a":"b"}"#, #"{"":0}"#,
        #"{"foo\u0000bar": 42}"#, #"{ "min": -1.0e+28, "max": 1.0e+28 }"#, #"{"a":[]}"#, "{\n\"a\": \"b\"\n}",
        #"{"title":"\u041f\u043e\u043b\u0442\u043e\u0440\u0430 \u0417\u0435\u043c\u043b\u0435\u043a\u043e\u043f\u0430" }"#,
        #"["\u0060\u012a\u12AB"]"#, #"["\uD801\udc37"]"#, #"["\ud83d\ude39\ud83d\udc8d"]"#,
        #"["\"\\\/\b\f\n\r\t"]"#, #"["\\u0000"]"#, #"["\""]"#, #"["a/*b*/c/*d//e"]"#, #"["\\a"]"#, #"["\\n"]"#,
        #"["\u0012"]"#, #"["\uFFFF"]"#, #"[ "asd"]"#, #"["new\u00A0line"]"#, "[\"\u{10FFFF}\"]", "[\"\u{FFFF}\"]",
        #"["\u0000"]"#, #"["\u002c"]"#, "[\"π\"]", "[\"\u{1BFFF}\"]", "[\"asd \"]", "\" \"", #"["\u0821"]"#,
        "[\"\u{2028}\u{2029}\"]", "[\"\u{7F}\"]", #"["\u0061\u30af\u30EA\u30b9"]"#, #"["\uA66D"]"#,
        #"["\uDBFF\uDFFE"]"#,
        // Lone and swapped surrogates: the grammar allows them.
        #"["\uD800"]"#, #"["\uDFFF"]"#, #"["\uDd1ea"]"#, #"["\uD800\uD800\n"]"#, #"["\uDFFF\uD800"]"#, #""\ud800abc""#,
    ])
    func `accepts what RFC 8259 allows`(text: String) throws {
        let json = try JSONText(validating: ByteBuffer(string: text))
        #expect(String(buffer: json.bytes) == text.trimmedOfJSONSpace)
        #expect(JSONReference.accepts(Array(text.utf8)), "the reference reader disagrees")
    }

    @Test(
        arguments: [
            ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("[", .unexpectedEnd, 1), ("{", .unexpectedEnd, 1),
            ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3), ("[\"", .unexpectedEnd, 2),
            ("[\"a", .unexpectedEnd, 3),
            ("[\"a\"", .unexpectedEnd, 4), ("{\"a\"", .unexpectedEnd, 4), ("{\"a\":", .unexpectedEnd, 5),
            ("{\"a\":1", .unexpectedEnd, 6), ("{\"a\":1,", .unexpectedEnd, 7), ("\"\\", .unexpectedEnd, 2),
            ("\"\\u00", .unexpectedEnd, 5), ("-", .unexpectedEnd, 1), ("1.", .unexpectedEnd, 2),
            ("1e", .unexpectedEnd, 2),
            ("1e+", .unexpectedEnd, 3), ("tru", .unexpectedEnd, 3), ("n", .unexpectedEnd, 1),
            ("fals", .unexpectedEnd, 4),
            ("[1,]", .unexpectedByte, 3), ("[,1]", .unexpectedByte, 1), ("[1,,2]", .unexpectedByte, 3),
            ("[,]", .unexpectedByte, 1),
            ("[1 2]", .unexpectedByte, 3), ("[1}", .unexpectedByte, 2), ("{]", .unexpectedByte, 1),
            ("{\"a\":1]", .unexpectedByte, 6),
            ("{\"a\":1,}", .unexpectedByte, 7), ("{,}", .unexpectedByte, 1), ("{\"a\"}", .unexpectedByte, 4),
            ("{\"a\" 1}", .unexpectedByte, 5), ("{\"a\"::1}", .unexpectedByte, 5), ("{a:1}", .unexpectedByte, 1),
            ("{'a':1}", .unexpectedByte, 1), ("{1:1}", .unexpectedByte, 1), ("{null:1}", .unexpectedByte, 1),
            ("['a']", .unexpectedByte, 1),
            ("[:]", .unexpectedByte, 1), ("]", .unexpectedByte, 0), ("}", .unexpectedByte, 0),
            ("[*]", .unexpectedByte, 1),
            ("[1]x", .trailingBytes, 3), ("1 2", .trailingBytes, 2), ("{}}", .trailingBytes, 2),
            ("[]]", .trailingBytes, 2),
            ("\"\"\"", .trailingBytes, 2), ("nulll", .trailingBytes, 4), ("{} //", .trailingBytes, 3),
            ("1\u{0}", .trailingBytes, 1),
            ("[/**/]", .unexpectedByte, 1), ("#", .unexpectedByte, 0), ("[\u{0B}]", .unexpectedByte, 1),
            ("[\u{0C}]", .unexpectedByte, 1),
            ("\u{FEFF}[]", .unexpectedByte, 0), ("[\u{A0}]", .unexpectedByte, 1), ("[\u{2060}]", .unexpectedByte, 1),
            ("01", .invalidNumber, 0), ("-01", .invalidNumber, 0), ("[00]", .invalidNumber, 1),
            ("[-]", .invalidNumber, 1),
            ("[1.]", .invalidNumber, 1), ("[1.e1]", .invalidNumber, 1), ("[1e]", .invalidNumber, 1),
            ("[1e+]", .invalidNumber, 1),
            ("[1eE2]", .invalidNumber, 1), ("[-a]", .invalidNumber, 1), ("[--1]", .invalidNumber, 1),
            ("[0.3e+]", .invalidNumber, 1),
            ("[.5]", .unexpectedByte, 1), ("[+1]", .unexpectedByte, 1), ("[0x1]", .unexpectedByte, 2),
            ("[1a]", .unexpectedByte, 2),
            ("[1.2.3]", .unexpectedByte, 4), ("[0e1.5]", .unexpectedByte, 4), ("[1e1e1]", .unexpectedByte, 4),
            ("[-Infinity]", .invalidNumber, 1),
            ("[NaN]", .unexpectedByte, 1), ("[Infinity]", .unexpectedByte, 1), ("[\u{FF11}]", .unexpectedByte, 1),
            ("[nul]", .invalidLiteral, 1), ("[truth]", .invalidLiteral, 1), ("[TRUE]", .unexpectedByte, 1),
            ("falsy", .invalidLiteral, 0),
            ("[nan]", .invalidLiteral, 1), ("tr", .unexpectedEnd, 2), ("tx", .invalidLiteral, 0),
            (#"["\x00"]"#, .invalidEscape, 2), (#"["\'"]"#, .invalidEscape, 2), (#"["\u00G0"]"#, .invalidEscape, 2),
            (#"["\U0041"]"#, .invalidEscape, 2),
            (#"["\u{41}"]"#, .invalidEscape, 2), (#"["\u 123"]"#, .invalidEscape, 2), (#"["\u12"]"#, .invalidEscape, 2),
            (#"["\a"]"#, .invalidEscape, 2),
            (#"["\ "]"#, .invalidEscape, 2), ("[\"\\\u{1F300}\"]", .invalidEscape, 2),
            ("[\"\\\n\"]", .invalidEscape, 2),
            ("[\"\n\"]", .controlCharacter, 2), ("[\"a\tb\"]", .controlCharacter, 3),
            ("\"\u{0}\"", .controlCharacter, 1),
            ("\"12345678\u{1F}\"", .controlCharacter, 9), ("{\"a\u{1}\":1}", .controlCharacter, 3),
        ] as [(String, JSONError.Code, Int)])
    func `refuses everything else, and says where`(text: String, code: JSONError.Code, offset: Int) {
        #expect(throws: JSONError(code, at: offset)) { try JSONText(validating: ByteBuffer(string: text)) }
        #expect(!JSONReference.accepts(Array(text.utf8)), "the reference reader disagrees")
    }

    @Test func `every strict prefix of a text is refused as ended too early`() throws {
        let text = #" {"jsonrpc" : "2.0","é€😀":[-0.5e+10,true , false,null,{"a\"\\\u00e9":"日本語 and more text"},[],{}]}"#
        let bytes = Array(text.utf8)
        #expect(throws: Never.self) { try JSONText(validating: ByteBuffer(bytes: bytes)) }
        for length in 0..<bytes.count {
            let prefix = ByteBuffer(bytes: bytes[..<length])
            #expect(throws: JSONError(.unexpectedEnd, at: length)) { try JSONText(validating: prefix) }
        }
    }

    @Test func `a text may lie anywhere in its buffer, and offsets count from its first readable byte`() throws {
        var buffer = ByteBuffer(string: "garbage\"[1, 2]\"garbage")
        buffer.moveReaderIndex(forwardBy: 8)
        buffer.moveWriterIndex(to: 14)
        let json = try JSONText(validating: buffer)
        #expect(json.description == "[1, 2]")
        buffer.setInteger(UInt8(ascii: "x"), at: 9)
        #expect(throws: JSONError(.unexpectedByte, at: 1)) { try JSONText(validating: buffer) }
    }

    @Test(
        arguments: [
            ("{}", .object), ("[]", .array), ("\"\"", .string), ("-1", .number), ("true", .true), ("false", .false),
            ("null", .null),
        ] as [(String, JSONKind)])
    func `the kind of a value shows in its first byte`(text: String, kind: JSONKind) throws {
        let json = try JSONText(validating: ByteBuffer(string: "  \(text)\n"))
        #expect(json.kind == kind)
        #expect(JSONText(trusting: ByteBuffer(string: text)) == json)
    }
}
