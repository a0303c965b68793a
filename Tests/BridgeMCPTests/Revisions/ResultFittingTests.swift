import BridgeCore
import BridgeMCP
import NIOCore
import Testing

@Suite("Results for older clients") struct ResultFittingTests {
    private static let text = #"{"type":"text","text":"a \"resource_link\""}"#
    private static let audio = #"{"type":"audio","data":"UklGRg==","mimeType":"audio/wav"}"#
    private static let link =
        #"{ "uri":"file:///a%20b" , "type":"resource\u005flink","name":"a","description":"the \"first\"", "size":1.0}"#

    private static func response(_ items: String...) -> String {
        #"{"jsonrpc":"2.0","id":7,"result":{"content":[ \#(items.joined(separator: " , ")) ],"isError":false,"structuredContent":{"x":1.50}}}"#
    }

    private static func fit(_ response: String, _ revision: ProtocolRevision) -> String? {
        ResultFitting.fitted(ByteBuffer(string: response), to: revision).map { String(buffer: $0) }
    }

    private static let audioWords =
        #"{"type":"text","text":"[audio, audio/wav, left out: the protocol revision of this client does not have it]"}"#
    private static let linkWords = #"{"type":"text","text":"Resource a: file:///a%20b (the \"first\")"}"#

    @Test func `a kind that the revision does not know becomes a text, and every other byte stays`() {
        let all = Self.response(Self.text, Self.audio, Self.link)
        #expect(Self.fit(all, .v2024_11_05) == Self.response(Self.text, Self.audioWords, Self.linkWords))
        #expect(Self.fit(all, .v2025_03_26) == Self.response(Self.text, Self.audio, Self.linkWords))
    }

    @Test(arguments: [ProtocolRevision.v2025_06_18, .v2025_11_25])
    func `a revision that knows all kinds gets what was sent`(revision: ProtocolRevision) {
        #expect(Self.fit(Self.response(Self.text, Self.audio, Self.link), revision) == nil)
    }

    @Test(arguments: [
        #"{"jsonrpc":"2.0","id":7,"error":{"code":1,"message":"resource_link"}}"#,
        #"{"jsonrpc":"2.0","id":7,"result":{}}"#, #"{"jsonrpc":"2.0","id":7,"result":{"content":{"type":"audio"}}}"#,
        #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":7},"audio",[{"type":"audio"}],{"x":{"type":"audio"}}]}}"#,
        #"{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"x-chart","data":1},{"type":"text","text":""}]}}"#,
        #"{"jsonrpc":"2.0","id":7,"result":{"other":{"content":[{"type":"audio"}]},"content":[]}}"#,
    ])
    func `what is no content of a known kind is left`(response: String) {
        #expect(Self.fit(response, .v2024_11_05) == nil)
    }

    @Test func `an item without its members is still told of`() {
        let response = Self.response(#"{"type":"audio"}"#, #"{"type":"resource_link"}"#)
        #expect(
            Self.fit(response, .v2024_11_05)
                == Self.response(
                    Self.audioWords.replacing("audio/wav", with: "unknown type"),
                    #"{"type":"text","text":"Resource : "}"#))
    }
}
