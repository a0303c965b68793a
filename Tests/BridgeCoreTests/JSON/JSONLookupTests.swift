import NIOCore
import Testing

@testable import BridgeCore

@Suite("JSON lookups") struct JSONLookupTests {
    private func json(_ text: String) throws -> JSONText { try JSONText(validating: ByteBuffer(string: text)) }

    @Test func `a member is found behind members of every kind`() throws {
        let json = try self.json(
            #"{"o":{"x":1,"a":"}"},"a":["]",{"b":[]}],"s":"\"}","n":-1.5e3,"t":true,"f":false,"z":null , "last" : 7 }"#)
        #expect(json.value("last")?.int == 7)
        #expect(json.value("o")?.description == #"{"x":1,"a":"}"}"#)
        #expect(json.value("a")?.description == #"["]",{"b":[]}]"#)
        #expect(json.value("s")?.string == "\"}")
        #expect(json.value("n")?.double == -1500)
        #expect(json.bool("t") == true)
        #expect(json.bool("f") == false)
        #expect(json.value("z")?.isNull == true)
        #expect(json.member("x") == nil, "it belongs to an inner object")
        #expect(json.member("las") == nil)
        #expect(json.member("lastt") == nil)
        #expect(json.member("") == nil)
    }

    @Test func `a span is the value's place in the text, and its slice shares the bytes`() throws {
        let json = try self.json(#"  { "k" : [1, 2] }  "#)
        let span = try #require(json.member("k"))
        #expect(span == JSONSpan(lowerBound: 8, upperBound: 14, kind: .array))
        #expect(span.count == 6)
        let inner = json[span]
        var elements: [String] = []
        inner.elements { elements.append(inner[$0].description) }
        #expect(elements == ["1", "2"])
    }

    @Test func `spans found inside an inner value count from the outer text`() throws {
        let json = try self.json(#"{"params":{"list":[10,{"name":"deep"}],"name":"outer"}}"#)
        let params = try #require(json.member("params"))
        let name = try #require(json.member("name", in: params))
        #expect(json[name].string == "outer")
        let list = try #require(json.member(named: "list", in: params))
        var elements: [JSONSpan] = []
        json.elements(in: list) { elements.append($0) }
        #expect(elements.map { json[$0].description } == ["10", #"{"name":"deep"}"#])
        #expect(json.member("name", in: elements[1]).map { json[$0].string } == "deep")
        #expect(json.member("name", in: elements[0]) == nil)
    }

    @Test(arguments: [
        #"{"n\u0061me":1}"#, #"{"\u006e\u0061\u006D\u0065":1}"#, #"{"x\"":0,"name":1}"#, #"{"\\":0,"name":1}"#,
    ])
    func `a key written with escapes is the same key`(text: String) throws {
        let json = try self.json(text)
        #expect(json.int("name") == 1)
        #expect(json.member(named: "name") == json.member("name"))
        var keys: [String] = []
        json.members { key, _ in if key == "name" { keys.append(key.string) } }
        #expect(keys == ["name"])
    }

    @Test func `keys are compared by bytes, not by what looks alike`() throws {
        let json = try self.json("{\"e\u{301}\":1,\"\u{E9}\":2,\"\":3,\"a\\u0000b\":4}")
        #expect(json.int("\u{E9}") == 2)
        #expect(json.int("e\u{301}") == 1)
        #expect(json.int("") == 3)
        #expect(json.int("a\u{0}b") == 4)
        #expect(json.int("a") == nil)
    }

    @Test func `the first of equal keys is found, and all are seen`() throws {
        let json = try self.json(#"{"a":1,"\u0061":2,"a":3}"#)
        #expect(json.int("a") == 1)
        var values: [Int?] = []
        json.members { key, value in
            #expect(key == "a")
            values.append(json[value].int)
        }
        #expect(values == [1, 2, 3])
    }

    @Test func `a key shows how it was written`() throws {
        let json = try self.json(#"{"\u0061":1}"#)
        json.members { key, _ in
            #expect(key.text.description == #""\u0061""#)
            #expect(key.description == "a")
        }
    }

    @Test(arguments: ["[]", "1", "\"name\"", "null", "[{\"name\":1}]", "{}", "{ }"])
    func `what is not an object, or is empty, has no members`(text: String) throws {
        let json = try self.json(text)
        #expect(json.member("name") == nil)
        json.members { _, _ in Issue.record("a member of \(text)") }
    }

    @Test(arguments: ["{}", "1", "\"[]\"", "null", "{\"a\":[1]}", "[]", "[ ]"])
    func `what is not an array, or is empty, has no elements`(text: String) throws {
        try self.json(text).elements { _ in Issue.record("an element of \(text)") }
    }

    @Test func `an error thrown while looking comes out`() throws {
        struct Stop: Error {}
        let json = try self.json(#"{"a":1,"b":2}"#)
        var seen = 0
        #expect(throws: Stop.self) {
            try json.members { _, _ in
                seen += 1
                throw Stop()
            }
        }
        #expect(seen == 1)
    }
}
