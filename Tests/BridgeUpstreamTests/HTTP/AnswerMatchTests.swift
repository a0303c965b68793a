import BridgeCore
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Whose answer it is") struct AnswerMatchTests {
    private static func match(_ text: String, own: Int? = 7, pending: Set<Int> = [8]) -> (String, Int?) {
        let match = AnswerMatch.match(JSONText(trusting: ByteBuffer(string: text)), to: own) { pending.contains($0) }
        return ("\(match.message)", match.answered)
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":7,"result":{}}"#, #"{"jsonrpc":"2.0","id":"7","result":{}}"#,
        #"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"x"}}"#,
    ]) func `its own is left as it is`(text: String) {
        #expect(Self.match(text) == (text, 7))
    }

    @Test func `another request's is another request's`() {
        let text = #"{"jsonrpc":"2.0","id":8,"result":{}}"#
        #expect(Self.match(text) == (text, 8))
        #expect(Self.match(text, own: nil) == (text, 8))
    }

    @Test(arguments: [#""server-error""#, "null", "9", "-1", #""x""#]) func `a foreign id is made ours`(id: String) {
        let (message, answered) = Self.match(#"{"jsonrpc":"2.0","id":\#(id),"error":{"code":1,"message":"x"}}"#)
        #expect(answered == 7)
        #expect(JSONText(trusting: ByteBuffer(string: message)).int("id") == 7)
    }

    @Test func `an answer without an id, and one without a form, are ours`() {
        #expect(Self.match(#"{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}"#).1 == 7)
        #expect(Self.match(#"{"error":"no way"}"#).1 == 7)
        #expect(Self.match(#"{"jsonrpc":"2.0","id":"x","result":[]}"#).1 == 7)
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":7,"method":"ping"}"#,
        #"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#,
        #"{"x":1}"#,
    ]) func `what is no answer answers nothing`(text: String) {
        #expect(Self.match(text) == (text, nil))
    }

    @Test func `where nothing waits any more, nothing is answered`() {
        let text = #"{"jsonrpc":"2.0","id":7,"result":{}}"#
        #expect(Self.match(text, own: nil, pending: []) == (text, nil))
    }
}
