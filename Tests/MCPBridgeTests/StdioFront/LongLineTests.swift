import BridgeCore
import NIOCore
import Testing

@testable import mcp_bridge

@Suite("Long line") struct LongLineTests {
    private func ids(_ text: String, piece: Int = .max) -> [String] {
        var line = LongLine()
        var bytes = ByteBuffer(string: text)
        while let next = bytes.readSlice(length: min(piece, bytes.readableBytes)), next.readableBytes > 0 {
            line.read(next)
        }
        return line.requests.map(\.description)
    }

    @Test(
        arguments: [
            (#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"id":2,"a":[{"id":3,"method":"y"}]}}"#, ["1"]),
            (#"{"method":"x","params":{"id":2},"jsonrpc":"2.0","id":"last"}"#, [#""last""#]),
            (#" { "params" : { "t" : "\",\"id\":7}" } , "id" : 8 , "method" : "x" } "#, ["8"]),
            (#"{"id":"a\"}b","method":"x"}"#, [#""a\"}b""#]),
            (
                #"[{"id":1,"method":"x"},{"method":"notify"},{"id":2,"result":{}},{"id":3,"method":"y","params":[]}]"#,
                ["1", "3"]
            ),
            // A notification, answers, an id that is none, a line that is cut off.
            (#"{"method":"x","params":{"id":1}}"#, []), (#"{"id":1,"result":{"method":"x"}}"#, []),
            (#"{"id":1,"error":{"code":1,"message":"x"}}"#, []), (#"{"id":{"id":1},"method":"x"}"#, []),
            (#"{"id":null,"method":"x"}"#, []), (#"{"id":1,"id":2,"method":"x"}"#, []), (#"{"id":1,"method":"x""#, []),
            (#""id""#, []), ("}]}", []), ("", []),
        ] as [(String, [String])])
    func `requests are found wherever their id stands, however the bytes come`(text: String, expected: [String]) {
        for piece in [1, 3, .max] { #expect(self.ids(text, piece: piece) == expected, "\(text) by \(piece)") }
    }

    @Test func `an id that is too long is none`() {
        let long = String(repeating: "1", count: 1 << 16)
        #expect(self.ids(#"{"id":"\#(long)","method":"x"}"#) == [])
    }

    @Test func `ids are kept up to four megabytes of them`() {
        let long = String(repeating: "i", count: 4_000)
        var line = LongLine()
        line.read(ByteBuffer(string: "["))
        for _ in 0..<1_200 { line.read(ByteBuffer(string: #"{"id":"\#(long)","method":"x"},"#)) }
        #expect(line.requests.count == (4 << 20) / 4_002)
    }
}
