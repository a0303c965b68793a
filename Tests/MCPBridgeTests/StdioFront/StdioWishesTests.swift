import BridgeCore
import NIOCore
import Testing

@testable import mcp_bridge

@Suite("Stdio wishes") struct StdioWishesTests {
    private func granted(_ asked: [(method: String, subject: String?)]) throws -> [String] {
        var wishes = StdioWishes()
        for (number, each) in asked.enumerated() {
            let key = each.method == "logging/setLevel" ? "level" : "uri"
            let params = each.subject.map { #"{"\#(key)":"\#($0)"}"# } ?? "{}"
            let text = #"{"jsonrpc":"2.0","id":\#(number),"method":"\#(each.method)","params":\#(params)}"#
            for request in try StdioMessage(ByteBuffer(string: text)).requests { wishes.granted(request) }
        }
        return try wishes.requests.map { bytes in
            let request = try #require(try StdioMessage(bytes).requests.first)
            return "\(request.id) \(request.method) \(request.subject ?? "-")"
        }
    }

    @Test func `the last level and what is still subscribed to are asked for again, by ids of our own`() throws {
        let asked = try self.granted([
            ("resources/subscribe", "a:1"), ("logging/setLevel", "debug"), ("resources/subscribe", "a:2"),
            ("resources/subscribe", "a:1"), ("tools/call", nil), ("logging/setLevel", "error"),
            ("resources/subscribe", "a:3"), ("resources/unsubscribe", "a:2"), ("resources/subscribe", nil),
        ])
        #expect(
            asked == [
                #""mcp-bridge-stdio-0" logging/setLevel error"#, #""mcp-bridge-stdio-1" resources/subscribe a:1"#,
                #""mcp-bridge-stdio-2" resources/subscribe a:3"#,
            ])
    }

    @Test func `there is an end to what is remembered`() throws {
        let long = String(repeating: "x", count: 1_000)
        let asked = try self.granted((0..<100).map { ("resources/subscribe", "a:\($0)\(long)") })
        #expect(asked.count == 65)
    }
}
