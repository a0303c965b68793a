import NIOCore
import Testing

@testable import BridgeCore

@Suite("JSON writing") struct JSONWriterTests {
    @Test func `values, containers and commas`() throws {
        let json = JSONWriter.object { writer in
            writer.member("string", "x\"y")
            writer.member("int", -1)
            writer.member("big", UInt64.max)
            writer.member("double", 1.5)
            writer.member("bool", true)
            writer.member("none", String?.none)
            writer.member("some", Int?(2))
            writer.memberNull("null")
            writer.member("raw", JSONText(literal: "[1.0]"))
            writer.member("absent", ifPresent: Int?.none)
            writer.member("present", ifPresent: Int?(3))
            writer.member("list", ["a", "b"])
            writer.memberObject("object") { $0.member("in\"ner", 1) }
            writer.memberObject("emptyObject") { _ in }
            writer.memberArray("array") { array in
                array.element(1)
                array.element("two")
                array.element(JSONText.null)
                array.object { $0.member("k", false) }
                array.array { _ in }
                array.element(Substring("sub"))
            }
            writer.memberArray("emptyArray") { _ in }
        }
        let expected =
            #"{"string":"x\"y","int":-1,"big":18446744073709551615,"double":1.5,"bool":true,"none":null,"some":2,"null":null,"#
            + #""raw":[1.0],"present":3,"list":["a","b"],"object":{"in\"ner":1},"emptyObject":{},"#
            + #""array":[1,"two",null,{"k":false},[],"sub"],"emptyArray":[]}"#
        #expect(json.description == expected)
        #expect(try JSONText(validating: json.bytes) == json)
    }

    @Test func `a writer appends to the buffer it is given`() {
        var writer = JSONWriter(ByteBuffer(string: "data: "))
        writer.array { $0.element(1) }
        #expect(String(buffer: writer.buffer) == "data: [1]")
        #expect(JSONWriter.array { $0.element("x") }.description == "[\"x\"]")
    }

    @Test(
        arguments: [
            (0.1, "0.1"), (1e20, "1e+20"), (-0.0, "-0.0"), (.leastNonzeroMagnitude, "5e-324"), (.nan, "null"),
            (.infinity, "null"), (-.infinity, "null"),
            (1e16, "1e+16"), (123456.0, "123456.0"),
        ] as [(Double, String)])
    func `doubles are JSON and read back as the same value`(value: Double, expected: String) throws {
        let json = JSONWriter.array { $0.element(value) }
        #expect(json.description == "[\(expected)]")
        var read: Double?
        try JSONText(validating: json.bytes).elements { read = json[$0].double }
        #expect(read == (value.isFinite ? value : nil))
    }

    @Test func `an error thrown inside a container comes out`() {
        struct Stop: Error {}
        #expect(throws: Stop.self) { try JSONWriter.object { _ in throw Stop() } }
    }

    @Test func `every ASCII character is escaped if it must be and read back`() throws {
        for code in UInt8(0)..<0x80 {
            let character = String(Unicode.Scalar(code))
            for string in [character, "1234567" + character, "12345678" + character + "9", character + character] {
                let written = JSONText(string)
                #expect(try JSONText(validating: written.bytes).string == string)
                let mustEscape = code < 0x20 || character == "\"" || character == "\\"
                #expect((written.count > string.utf8.count + 2) == mustEscape)
                #expect(!written.bytes.readableBytesView.contains { $0 == 0x0A || $0 == 0x0D })
            }
        }
        #expect(JSONText("\u{1}\u{8}\u{B}\u{1F}\n").description == #""\u0001\b\u000b\u001f\n""#)
    }

    @Test func `strings of every sort of storage are written`() {
        var buffer = ByteBuffer()
        #expect(buffer.writeJSONString("日本\n") == 10)
        buffer.writeJSONString("0123456789 a long string, sliced \" here".dropFirst(3))
        buffer.writeJSONString(String(repeating: "x", count: 3))
        #expect(String(buffer: buffer) == #""日本\n""3456789 a long string, sliced \" here""xxx""#)
    }

    @Test func `generated strings come back as they were`() throws {
        var generator = JSONGenerator(seed: 7)
        for _ in 0..<2000 {
            let json = try JSONText(validating: ByteBuffer(string: generator.string()))
            let string = try #require(json.string)
            let rewritten = try JSONText(validating: JSONText(string).bytes)
            #expect(rewritten.string?.utf8.elementsEqual(string.utf8) == true)
        }
    }
}
