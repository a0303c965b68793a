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
            ("Starting up...", nil, "no JSON"), (#"{"id":5,"result":{]}"#, 5, "not acceptable"),
            ("{", nil, "not acceptable"),
        ] as [(String, Int?, String)])
    func `what is no JSON says what it seems to answer`(text: String, request: Int?, reason: String) {
        guard case .unreadable(let bytes, let answering, let told) = self.reader.read(.whole(self.bytes(text))) else {
            Issue.record("taken for a message")
            return
        }
        #expect(bytes == self.bytes(text))
        #expect(answering == request)
        #expect(told.contains(reason))
    }

    @Test func `of a line that is too long only the beginning is known`() {
        let beginning = self.bytes(#"{"jsonrpc":"2.0","id":9,"result":{"text":"xxx"#)
        #expect(
            self.reader.read(.overlong(beginning))
                == .unreadable(beginning, answering: 9, reason: "it sent a line of more than 100 bytes"))
    }

    @Test func `a line that was cut off answers nothing`() {
        let text = self.bytes(#"{"jsonrpc":"2.0","id":9,"result":{"te"#)
        #expect(
            self.reader.read(.unfinished(text))
                == .unreadable(text, answering: nil, reason: "the stream ends within a line"))
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
