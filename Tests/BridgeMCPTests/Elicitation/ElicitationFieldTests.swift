import BridgeCore
import BridgeMCP
import NIOCore
import Testing

/// One property of a form, by its schema.
private func field(_ schema: String, isRequired: Bool = false) throws -> ElicitationField {
    let form = #"{"type":"object","properties":{"it":\#(schema)},"required":[\#(isRequired ? #""it""# : "")]}"#
    return try #require(try ElicitationForm(JSONText(validating: ByteBuffer(string: form))).fields.first)
}

private func value(_ line: String, _ schema: String) throws -> String {
    do { return "\(try field(schema).value(of: line))" } catch { return "\(error)" }
}

@Suite("Fields of a form") struct ElicitationFieldTests {
    @Test(arguments: [
        // Text.
        (#"{"type":"string"}"#, "hello there ", #""hello there ""#),
        (#"{"type":"string"}"#, #""""#, #""""#),
        (#"{"type":"string"}"#, #"say "hi" \ bye"#, #""say \"hi\" \\ bye""#),
        (#"{"type":"string","minLength":2}"#, "é", "It must have 2 characters or more; this has 1."),
        (#"{"type":"string","minLength":1}"#, #""""#, "It must have 1 characters or more; this has 0."),
        (#"{"type":"string","maxLength":2}"#, "日本語", "It must have 2 characters or less; this has 3."),
        (#"{"type":"string","maxLength":3}"#, "日本語", #""日本語""#),
        (#"{"type":"string","format":"made-up"}"#, "x", #""x""#),
        // Numbers, with their digits as they were typed.
        (#"{"type":"number"}"#, " 1.50 ", "1.50"), (#"{"type":"number"}"#, "1e3", "1e3"),
        (#"{"type":"number"}"#, "12345678901234567890", "12345678901234567890"),
        (#"{"type":"number"}"#, "three", "It must be a number, such as 3 or 1.5."),
        (#"{"type":"number"}"#, "01", "It must be a number, such as 3 or 1.5."),
        (#"{"type":"number","minimum":0.5}"#, "0.4", "It must be 0.5 or more."),
        (#"{"type":"number","maximum":-1}"#, "-1", "-1"),
        (#"{"type":"number","maximum":10}"#, "1e999", "It must be 10 or less."),
        (#"{"type":"integer"}"#, "-7", "-7"),
        (#"{"type":"integer"}"#, "7.0", "It must be a whole number, such as 3."),
        (#"{"type":"integer"}"#, "x", "It must be a whole number, such as 3."),
        (#"{"type":"integer","minimum":1,"maximum":3}"#, "4", "It must be 3 or less."),
        (#"{"type":"integer","minimum":9007199254740993}"#, "9007199254740992", "It must be 9007199254740993 or more."),
        // Yes and no.
        (#"{"type":"boolean"}"#, "Y", "true"), (#"{"type":"boolean"}"#, " no", "false"),
        (#"{"type":"boolean"}"#, "perhaps", "It must be yes or no."),
        // One of several: untitled, titled, titled as older revisions do.
        (#"{"type":"string","enum":["red","green"]}"#, "2", #""green""#),
        (#"{"type":"string","enum":["red","green"]}"#, "red", #""red""#),
        (#"{"type":"string","enum":["red","green"]}"#, "GREEN", #""green""#),
        (#"{"type":"string","enum":["red","Red"]}"#, "RED", "There is no choice 'RED'. They are numbered 1 to 2."),
        (#"{"type":"string","enum":["red","green"]}"#, "3", "There is no choice '3'. They are numbered 1 to 2."),
        (#"{"type":"string","enum":["red","green"]}"#, "0", "There is no choice '0'. They are numbered 1 to 2."),
        (#"{"type":"string","oneOf":[{"const":"r","title":"Red"},{"const":"g","title":"Green"}]}"#, "Green", #""g""#),
        (#"{"type":"string","oneOf":[{"const":"r","title":"Red"},{"const":"g","title":"Green"}]}"#, "1", #""r""#),
        (#"{"type":"string","enum":["r","g"],"enumNames":["Red","Green"]}"#, "green", #""g""#),
        (#"{"type":"string","enum":["r","g"],"enumNames":["Red"]}"#, "g", #""g""#),
        // Some of several.
        (#"{"type":"array","items":{"type":"string","enum":["a","b","c"]}}"#, "3, 1,3", #"["a","c"]"#),
        (#"{"type":"array","items":{"type":"string","enum":["a","b","c"]}}"#, "1 2", #"["a","b"]"#),
        (#"{"type":"array","items":{"type":"string","enum":["a","b","c"]}}"#, "0", "[]"),
        (
            #"{"type":"array","items":{"type":"string","enum":["a","b","c"]},"minItems":1}"#, "0",
            "At least 1 must be chosen."
        ),
        (
            #"{"type":"array","items":{"type":"string","enum":["a","b","c"]},"maxItems":1}"#, "a,b",
            "At most 1 may be chosen."
        ),
        (#"{"type":"array","items":{"type":"string","enum":["a","b c"]}}"#, "b c, a", #"["a","b c"]"#),
        (
            #"{"type":"array","items":{"type":"string","enum":["a","b"]}}"#, "a,x",
            "There is no choice 'x'. They are numbered 1 to 2."
        ),
        (
            #"{"type":"array","items":{"anyOf":[{"const":"r","title":"Red"},{"const":"g","title":"Green"}]}}"#, "red",
            #"["r"]"#
        ),
        // As some libraries write what is optional.
        (#"{"anyOf":[{"type":"integer","maximum":3},{"type":"null"}],"default":null}"#, "4", "It must be 3 or less."),
        (#"{"type":["string","null"]}"#, "x", #""x""#),
        // An arrow key at a terminal that does not act on it.
        (
            #"{"type":"string"}"#, "x\u{1B}[D",
            "There is a control character in it, as of an arrow key. Please write it again."
        ),
    ])
    func `a line becomes a value, or the reason why not`(schema: String, line: String, expected: String) throws {
        #expect(try value(line, schema) == expected)
    }

    @Test(arguments: [
        ("email", "ada@example.com", true), ("email", "ada", false), ("email", "a@b@c", false),
        ("email", "ada @example.com", false), ("email", "ada@", false), ("email", "ada@x..y", false),
        ("email", "ada@localhost", true), ("uri", "https://example.com/a?b#c", true), ("uri", "urn:x:y", true),
        ("uri", "example.com", false), ("uri", "https:", false), ("uri", "1a:b", false), ("uri", "a:b c", false),
        ("date", "2026-02-28", true), ("date", "2026-02-29", false), ("date", "2024-02-29", true),
        ("date", "1900-02-29", false), ("date", "2000-02-29", true), ("date", "2026-13-01", false),
        ("date", "2026-1-01", false), ("date", "2026-01-32", false), ("date-time", "2026-01-31T09:30:00Z", true),
        ("date-time", "2026-01-31t09:30:00.25+02:00", true), ("date-time", "2026-01-31T09:30:00", false),
        ("date-time", "2026-01-31 09:30:00Z", false), ("date-time", "2026-01-31T24:30:00Z", false),
        ("date-time", "2026-01-31T09:30Z", false), ("date-time", "2026-01-31T09:30:00.Z", false),
    ])
    func `formats are looked at`(format: String, line: String, fits: Bool) throws {
        let said = try value(line, #"{"type":"string","format":"\#(format)"}"#)
        #expect((said == "\(JSONText(line))") == fits, "\(said)")
    }

    @Test(
        arguments: [
            (#"{"type":"string","default":"x"}"#, #""x""#), (#"{"type":"string","default":7}"#, nil),
            (#"{"type":"string","format":"email","default":"x"}"#, nil), (#"{"type":"integer","default":3}"#, "3"),
            (#"{"type":"integer","maximum":2,"default":3}"#, nil), (#"{"type":"boolean","default":false}"#, "false"),
            (#"{"type":"string","enum":["a"],"default":"a"}"#, #""a""#),
            (#"{"type":"string","enum":["a"],"default":"b"}"#, nil),
            (#"{"type":"array","items":{"type":"string","enum":["a","b"]},"default":["b"]}"#, #"["b"]"#),
            (#"{"type":"array","items":{"type":"string","enum":["a","b"]},"default":["c"]}"#, nil),
            (#"{"anyOf":[{"type":"string"},{"type":"null"}],"default":null}"#, nil),
        ] as [(String, String?)])
    func `a default counts when it fits its schema`(schema: String, standard: String?) throws {
        #expect(try field(schema).standard.map { "\($0)" } == standard)
    }

    @Test func `a form keeps the order of its schema, and leaves out what is optional and of no known kind`() throws {
        let schema = JSONText(
            literal:
                #"{"type":"object","properties":{"z":{"type":"string","title":"Zed"},"deep":{"type":"object"},"a":{"type":"boolean"},"a":{"type":"string"}}}"#
        )
        let form = try ElicitationForm(schema)
        #expect(form.fields.map(\.label) == ["Zed", "a"])
        #expect(form.fields.map(\.kind).last == .boolean)
        #expect(form.unknown == ["deep"])
    }

    @Test(arguments: [
        (#"{"type":"object"}"#, ElicitationProblem.noSchema), (#"{"properties":[]}"#, .noSchema),
        (#"{"properties":{"x":{"type":"object"}},"required":["x"]}"#, .unanswerable(property: "x")),
        (
            #"{"properties":{"x":{"type":"array","items":{"type":"string"}}},"required":["x"]}"#,
            .unanswerable(property: "x")
        ),
    ])
    func `a form that nobody can fill in is refused`(schema: String, problem: ElicitationProblem) throws {
        let schema = try JSONText(validating: ByteBuffer(string: schema))
        #expect(throws: problem) { try ElicitationForm(schema) }
    }

    @Test func `a form has its limit`() throws {
        let properties = (0...ElicitationForm.maximumFields).map { #""p\#($0)":{"type":"string"}"# }
        let schema = try JSONText(
            validating: ByteBuffer(string: #"{"properties":{\#(properties.joined(separator: ","))}}"#))
        #expect(throws: ElicitationProblem.tooManyProperties(limit: 200)) { try ElicitationForm(schema) }
    }
}
