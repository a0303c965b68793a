import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@testable import BridgeUpstream

@Suite("Answers to servers' questions") struct QuestionReplyTests {
    private func told(
        _ result: String, to method: String = "sampling/createMessage", in revision: ProtocolRevision
    ) -> String? {
        let response = ByteBuffer(string: #"{"jsonrpc":"2.0","id":"theirs","result":\#(result)}"#)
        return QuestionReply.answer(response, id: ByteBuffer(string: "7"), to: method, in: revision)?.description
    }

    private let blocks = #"{"role":"assistant","content":[{"type":"text","text":"x"}]}"#

    @Test func `a server of an older revision gets one block of content, and not a list of them`() {
        let one = #"{"jsonrpc":"2.0","id":7,"result":{"role":"assistant","content":{"type":"text","text":"x"}}}"#
        #expect(self.told(self.blocks, in: .v2025_06_18) == one)
        #expect(self.told(self.blocks, in: .v2025_11_25) == #"{"jsonrpc":"2.0","id":7,"result":\#(self.blocks)}"#)
        #expect(self.told(self.blocks, to: "tasks/result", in: .v2025_06_18)?.contains("[") == true)
    }

    @Test(arguments: ["[]", #"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#])
    func `a server of an older revision is told in an error of what it cannot have`(_ content: String) throws {
        let told = try #require(self.told(#"{"content":\#(content)}"#, in: .v2025_06_18))
        let answer = JSONText(trusting: ByteBuffer(string: told))
        #expect(answer.int("id") == 7 && answer.value("error")?.int("code") == -32603)
    }

    @Test(arguments: ["{}", #"{"content":{"type":"text","text":"x"}}"#, #"{"content":null}"#])
    func `whatever else is answered is passed as it is`(_ result: String) {
        #expect(self.told(result, in: .v2024_11_05) == #"{"jsonrpc":"2.0","id":7,"result":\#(result)}"#)
    }
}
