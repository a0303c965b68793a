import NIOCore
import Testing

@testable import BridgeCore

@Suite("JSON splicing") struct JSONSplicingTests {
    /// Odd on purpose: order, spelling and space that no encoder would keep.
    private static let message =
        #"{ "params":{"z":1.50e+1,"name" : "srv.tool","a":-0.0,"a":1E400,"x\u0079":"\/é\u00e9","_meta":{"progressToken":7}},"#
        + "\n\t" + #""id" :"old" , "unknown":[ ] }"#

    private func json() throws -> JSONText { try JSONText(validating: ByteBuffer(string: Self.message)) }
    private func span(_ part: String, kind: JSONKind) throws -> JSONSpan {
        let bytes = Array(Self.message.utf8)
        let lower = try #require((0..<bytes.count).first { bytes[$0...].starts(with: part.utf8) })
        return JSONSpan(lowerBound: lower, upperBound: lower + part.utf8.count, kind: kind)
    }

    @Test func `without replacements the bytes are those that came`() throws {
        var buffer = ByteBuffer(string: "before")
        try self.json().write(to: &buffer)
        #expect(String(buffer: buffer) == "before" + Self.message)
        try self.json().write(to: &buffer, replacing: [])
        #expect(String(buffer: buffer) == "before" + Self.message + Self.message)
    }

    @Test func `one replacement leaves every other byte`() throws {
        let json = try self.json()
        let id = try #require(json.member("id"))
        #expect(try id == self.span("\"old\"", kind: .string))
        var buffer = ByteBuffer()
        json.write(to: &buffer, replacing: id, with: ByteBuffer(string: "123"))
        #expect(String(buffer: buffer) == Self.message.replacingOnce("\"old\"", with: "123"))
        #expect(json.replacing(id, with: ByteBuffer(string: "123")).bytes == buffer)
    }

    @Test func `two replacements may be given in either order`() throws {
        let json = try self.json()
        let id = try #require(json.member("id"))
        let params = try #require(json.member("params"))
        let name = try #require(json.member("name", in: params))
        let expected = Self.message.replacingOnce("\"old\"", with: "123").replacingOnce(
            "\"srv.tool\"", with: "\"tool\"")
        for isReversed in [false, true] {
            var buffer = ByteBuffer()
            if isReversed {
                json.write(
                    to: &buffer, replacing: id, with: ByteBuffer(string: "123"), and: name,
                    with: ByteBuffer(string: "\"tool\""))
            } else {
                json.write(
                    to: &buffer, replacing: name, with: ByteBuffer(string: "\"tool\""), and: id,
                    with: ByteBuffer(string: "123"))
            }
            #expect(String(buffer: buffer) == expected)
        }
    }

    @Test func `any number of replacements, adjacent, empty, first and last`() throws {
        let json = try JSONText(validating: ByteBuffer(string: "[1,22,333]"))
        var spans: [JSONSpan] = []
        json.elements { spans.append($0) }
        let insertion = JSONSpan(lowerBound: 9, upperBound: 9, kind: .number)
        var buffer = ByteBuffer()
        json.write(
            to: &buffer,
            replacing: [
                (spans[0], ByteBuffer(string: "\"one\"")), (spans[1], ByteBuffer(string: "2")),
                (spans[2], ByteBuffer(string: "{}")),
                (insertion, ByteBuffer(string: ",4")),
            ])
        #expect(String(buffer: buffer) == "[\"one\",2,{},4]")
        buffer.clear()
        json.write(to: &buffer, replacing: [(json.span, ByteBuffer(string: "null"))])
        #expect(String(buffer: buffer) == "null")
    }

    @Test func `a splice into a slice of a larger text stays inside the slice`() throws {
        let json = try self.json()
        let params = try #require(json.value("params"))
        let name = try #require(params.member("name"))
        let spliced = params.replacing(name, with: ByteBuffer(string: "\"tool\""))
        #expect(spliced.string("name") == "tool")
        #expect(spliced.description.hasPrefix("{\"z\":1.50e+1,\"name\" : \"tool\",\"a\":-0.0,\"a\":1E400"))
        #expect(spliced.description.hasSuffix("\"_meta\":{\"progressToken\":7}}"))
    }

    @Test func `three replacements may be given in any order, and two or one of them left out`() throws {
        let json = try self.json()
        let id = try #require(json.member("id"))
        let params = try #require(json.member("params"))
        let name = try #require(json.member("name", in: params))
        let meta = try #require(json.member("_meta", in: params))
        let token = try #require(json.member("progressToken", in: meta))
        let pieces = [(id, "123"), (name, "\"tool\""), (token, "4567")]
            .map { (span: $0, bytes: ByteBuffer(string: $1)) }
        let spelled = [("\"old\"", "123"), ("\"srv.tool\"", "\"tool\""), ("7", "4567")]
        let orders = [
            [0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 1], [2, 0], [1], [2],
        ]
        for order in orders {
            // The token last: its digit is in the others' replacements, too.
            let expected = order.sorted(by: >).reduce(Self.message) {
                $0.replacingOnce($1 == 2 ? "Token\":7" : spelled[$1].0, with: $1 == 2 ? "Token\":4567" : spelled[$1].1)
            }
            for hasGap in [false, true] where order.count < 3 || !hasGap {
                var buffer = ByteBuffer(string: "before")
                let second = order.count > 1 ? pieces[order[1]] : nil
                let third = order.count > 2 ? pieces[order[2]] : nil
                json.write(
                    to: &buffer, replacing: pieces[order[0]], hasGap ? nil : second, hasGap ? second : third)
                #expect(String(buffer: buffer) == "before" + expected)
            }
        }
    }

    @Test func `a text of several lines can be written on one, byte for byte otherwise`() throws {
        let text = "{\r\n  \"a\\n\": \"x\\ry\",\n\n\"a key beyond one word\":1}"
        let json = try JSONText(validating: ByteBuffer(string: text))
        var buffer = ByteBuffer(string: "data: \n")
        json.writeOnOneLine(to: &buffer)
        #expect(String(buffer: buffer) == "data: \n{    \"a\\n\": \"x\\ry\",  \"a key beyond one word\":1}")
        for position in 0..<20 {
            var spaced = Array(repeating: " ", count: 20)
            spaced[position] = ["\n", "\r"][position % 2]
            var line = ByteBuffer()
            try JSONText(validating: ByteBuffer(string: "[" + spaced.joined() + "]")).writeOnOneLine(to: &line)
            #expect(String(buffer: line) == "[" + String(repeating: " ", count: 20) + "]")
        }
    }

    @Test func `what was appended to a buffer is put on one line, and what is before it or was read stays`() {
        var buffer = ByteBuffer(string: "read\nkept\n")
        buffer.moveReaderIndex(forwardBy: 5)
        let start = buffer.writerIndex
        buffer.writeString("[\n1,\r\n2]")
        let shared = buffer
        buffer.putOnOneLine(from: start)
        #expect(String(buffer: buffer) == "kept\n[ 1,  2]")
        #expect(String(buffer: shared) == "kept\n[\n1,\r\n2]")
        var empty = ByteBuffer()
        empty.putOnOneLine(from: 0)
        #expect(empty.readableBytes == 0)
    }
}

extension String {
    /// With the first `part` replaced.
    fileprivate func replacingOnce(_ part: String, with replacement: String) -> String {
        guard let range = self.firstRange(of: part) else { return self }
        return self.replacingCharacters(range, with: replacement)
    }

    private func firstRange(of part: String) -> Range<Index>? {
        var start = self.startIndex
        while start < self.endIndex {
            if self[start...].hasPrefix(part) { return start..<self.index(start, offsetBy: part.count) }
            start = self.index(after: start)
        }
        return nil
    }

    private func replacingCharacters(_ range: Range<Index>, with replacement: String) -> String {
        self[..<range.lowerBound] + replacement + self[range.upperBound...]
    }
}
