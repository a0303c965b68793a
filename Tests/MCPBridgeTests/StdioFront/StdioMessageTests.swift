import BridgeCore
import NIOCore
import Testing

@testable import mcp_bridge

@Suite("Stdio message") struct StdioMessageTests {
    /// The ids and the words of the answers to a line that cannot be taken.
    private func refused(_ text: String) -> [String]? {
        do throws(StdioMessage.Problem) {
            _ = try StdioMessage(ByteBuffer(string: text))
            return nil
        } catch {
            guard case .refused(_, let answers) = error else { return nil }
            return answers.map { bytes in
                let answer = JSONText(trusting: bytes)
                let word = answer.value("error")?.value("data")?.string("code") ?? "-"
                return "\(answer.value("id").map(\.description) ?? "-") \(word)"
            }
        }
    }

    private static func request(_ id: Int) -> String { #"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"# }

    @Test func `each request of a batch with one bad element is answered`() {
        let bad = #"{"jsonrpc":"2.0","id":"bad","method":5}"#
        let answer = #"{"jsonrpc":"2.0","id":9,"result":{}}"#
        let batch = "[\(Self.request(1)),\(bad),\(answer),5,{\"id\":7,\"result\":1},\(Self.request(2))]"
        #expect(self.refused(batch) == ["1 invalid_request", #""bad" invalid_request"#, "2 invalid_request"])
    }

    @Test func `each request of a batch that is too long is answered`() {
        let batch = "[\((1...101).map(Self.request).joined(separator: ","))]"
        #expect(self.refused(batch) == (1...101).map { "\($0) invalid_request" })
    }

    @Test func `what is not JSON is answered where it asks`() {
        #expect(self.refused(#"{"jsonrpc":"2.0","id":77,"method":"ping","params":{]}"#) == ["77 parse_error"])
        #expect(self.refused(#"{"method":"ping","params":{"a":tru},"jsonrpc":"2.0","id":78}"#) == ["78 parse_error"])
        #expect(self.refused("[\(Self.request(1)),\(Self.request(2)),]") == ["1 parse_error", "2 parse_error"])
        #expect(self.refused("nonsense") == [])
        #expect(self.refused("[]") == [])
    }

    @Test func `the malformed answer to a question is nobody's request`() {
        #expect(self.refused(#"{"jsonrpc":"2.0","id":5,"result":3}"#) == [])
    }

    @Test func `a line that is too long is answered`() {
        var line = LongLine()
        line.read(ByteBuffer(string: Self.request(3)))
        guard case .refused(_, let answers) = StdioMessage.tooLong(line, limit: 10) else { return }
        #expect(answers.count == 1 && String(buffer: answers[0]).contains(#""id":3,"error":{"code":-32600"#))
    }

    @Test func `without its requests a batch keeps answers and cancellations, as they came`() throws {
        let cancellation = #"{"jsonrpc":"2.0", "method":"notifications/cancelled","params":{"requestId":1}}"#
        let answer = #"{"jsonrpc":"2.0","id":9,"result":{ "x":1.0 }}"#
        let batch = try StdioMessage(ByteBuffer(string: "[\(Self.request(1)),\(cancellation),\(answer)]"))
        let rest = try #require(batch.withoutRequests)
        #expect(String(buffer: rest.bytes) == "[\(cancellation),\(answer)]")
        #expect(rest.requests.isEmpty && rest.cancelled.map(\.description) == ["1"])
        #expect(try StdioMessage(ByteBuffer(string: Self.request(1))).withoutRequests == nil)
    }

    @Test func `all cancelled requests of a batch are told`() throws {
        let each = [1, 2].map { #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#($0)}}"# }
        let batch = try StdioMessage(ByteBuffer(string: "[\(each.joined(separator: ","))]"))
        #expect(batch.cancelled.map(\.description) == ["1", "2"])
        #expect(!batch.isSingle)
    }
}
