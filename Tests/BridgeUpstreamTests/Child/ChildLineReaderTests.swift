import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Lines of a child") struct ChildLineReaderTests {
    private let reader = ChildLineReader(maximumOctets: 100, errors: .strict)

    private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    @Test func `a line of JSON is a message, with or without its end`() {
        let text = self.bytes(#"{"id":1}"#)
        #expect(self.reader.read(.whole(text)) == .message(JSONText(trusting: text)))
        #expect(self.reader.read(.unfinished(text)) == .message(JSONText(trusting: text)))
        #expect(self.reader.read(.whole(self.bytes(" \t[] \r"))) == .message(.emptyArray))
    }

    @Test(arguments: ["", " ", "\r", "\t \r"])
    func `a blank line is none`(text: String) {
        #expect(self.reader.read(.whole(self.bytes(text))) == .blank)
    }

    @Test(
        arguments: [
            ("Starting up...", nil, "no JSON"), (#"{"id":5,"result":{]}"#, "5", "not acceptable"),
            (#"{"id":"q","method":"ping",}"#, #""q""#, "not acceptable"), ("{", nil, "no JSON"),
        ] as [(String, String?, String)])
    func `what is no JSON says what it seems to be`(text: String, id: String?, reason: String) throws {
        let what = try #require(self.unreadable(.whole(self.bytes(text))))
        #expect(what.bytes == self.bytes(text))
        #expect(what.fragment?.id.description == id)
        #expect(what.reason.contains(reason))
        #expect(what.found.isEmpty)
    }

    private func unreadable(_ line: LineDecoder.Line) -> Unreadable? {
        guard case .unreadable(let what) = self.reader.read(line) else { return nil }
        return what
    }

    @Test func `of a line that is too long only the beginning is known`() throws {
        let beginning = self.bytes(#"{"jsonrpc":"2.0","id":9,"result":{"text":"xxx"#)
        let what = try #require(self.unreadable(.overlong(beginning)))
        #expect(what.reason == "it sent a line of more than 100 bytes, a fixed limit")
        #expect(what.fragment?.id == JSONText(9) && what.fragment?.kind == .answer)
        let behind = try #require(self.unreadable(.overlong(self.bytes(#"50% \#(String(buffer: beginning))"#))))
        #expect(behind.fragment?.id == JSONText(9))
        let whole = try #require(self.unreadable(.overlong(self.bytes(#"{"id":9} {"id":8}"#))))
        #expect(whole.found.count == 2, "they are there, and something follows")
    }

    @Test func `a line that was cut off answers nothing`() throws {
        let text = self.bytes(#"{"jsonrpc":"2.0","id":9,"result":{"te"#)
        #expect(
            self.unreadable(.unfinished(text)) == Unreadable(bytes: text, reason: "the stream ends within a line"))
    }

    @Test func `bytes that are not UTF-8 are mended where that is wished`() {
        let text = ByteBuffer(bytes: Array(#"{"a":""#.utf8) + [0xE9] + Array(#""}"#.utf8))
        guard case .unreadable = self.reader.read(.whole(text)) else {
            Issue.record("mended")
            return
        }
        let mending = ChildLineReader(maximumOctets: 100, errors: .replace)
        #expect(mending.read(.whole(text)) == .message(JSONText(trusting: self.bytes("{\"a\":\"\u{FFFD}\"}"))))
    }
}
