import HTTPTypes
import Testing

@testable import BridgeFront

@Suite("Request fields") struct RequestFieldsTests {
    static func head(_ fields: [(String, String)], _ method: HTTPRequest.Method = .get, path: String? = "/")
        -> HTTPRequest
    {
        var head = HTTPRequest(method: method, scheme: "http", authority: "localhost", path: path)
        for (name, value) in fields {
            if let name = HTTPField.Name(name) { head.headerFields.append(HTTPField(name: name, value: value)) }
        }
        return head
    }

    @Test func `the fields that matter are found whatever their case`() {
        let fields = RequestFields(
            Self.head([
                ("ACCEPT", "a/b"), ("accept", "c/d"), ("Content-Type", "application/json"), ("Content-Length", "12"),
                ("Origin", "http://localhost"), ("MCP-Protocol-Version", "2025-06-18"), ("Mcp-Session-Id", "s"),
                ("Last-Event-ID", "7"), ("Expect", "100-Continue"), ("User-Agent", "x"),
            ])
        )
        #expect(fields.accept == "a/b, c/d")
        #expect(fields.contentType == "application/json")
        #expect(fields.contentLength == 12)
        #expect(fields.origin == "http://localhost")
        #expect(fields.protocolVersion == "2025-06-18")
        #expect(fields.sessionID == "s")
        #expect(fields.lastEventID == "7")
        #expect(fields.expectsContinue)
        #expect(!fields.isForwarded)
        #expect(!fields.isAmbiguous)
    }

    @Test(arguments: [("chunked", false), ("Chunked", false), ("gzip, chunked", true), ("gzip", true), ("", true)])
    func `a transfer coding besides chunked is seen`(value: String, isOther: Bool) {
        let fields = RequestFields(Self.head([("Transfer-Encoding", value)]))
        #expect(fields.isChunked)
        #expect(fields.hasOtherTransferCoding == isOther)
    }

    @Test func `transfer codings on several lines are seen`() {
        let head = Self.head([("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "chunked")])
        #expect(RequestFields(head).hasOtherTransferCoding)
    }

    @Test(arguments: [("identity", false), ("Identity", false), ("gzip", true), ("br", true), ("identity, gzip", true)])
    func `a compressed body is seen`(value: String, isCoded: Bool) {
        #expect(RequestFields(Self.head([("Content-Encoding", value)])).hasContentCoding == isCoded)
    }

    @Test(arguments: ["Host", "Origin", "Content-Type", "Mcp-Session-Id", "MCP-Protocol-Version", "Last-Event-ID"])
    func `a field that occurs twice makes the request ambiguous`(name: String) {
        #expect(RequestFields(Self.head([(name, "a"), (name, "a")])).isAmbiguous)
    }
}
