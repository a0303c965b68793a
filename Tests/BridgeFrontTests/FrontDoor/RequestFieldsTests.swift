import NIOHTTP1
import Testing

@testable import BridgeFront

@Suite("Request fields") struct RequestFieldsTests {
    static func fields(_ fields: [(String, String)]) -> RequestFields {
        RequestFields(HTTPHeaders([("Host", "localhost")] + fields))
    }

    @Test func `the fields that matter are found whatever their case`() {
        let fields = Self.fields(
            [
                ("ACCEPT", "a/b"), ("accept", "c/d"), ("Content-Type", "application/json"), ("Content-Length", "12"),
                ("Origin", "http://localhost"), ("MCP-Protocol-Version", "2025-06-18"), ("Mcp-Session-Id", "s"),
                ("Last-Event-ID", "7"), ("Expect", "100-Continue"), ("User-Agent", "x"),
            ])
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
        let fields = Self.fields([("Transfer-Encoding", value)])
        #expect(fields.isChunked)
        #expect(fields.hasOtherTransferCoding == isOther)
    }

    @Test func `transfer codings on several lines are seen`() {
        let fields = Self.fields([("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "chunked")])
        #expect(fields.hasOtherTransferCoding)
    }

    @Test(arguments: [("identity", false), ("Identity", false), ("gzip", true), ("br", true), ("identity, gzip", true)])
    func `a compressed body is seen`(value: String, isCoded: Bool) {
        #expect(Self.fields([("Content-Encoding", value)]).hasContentCoding == isCoded)
    }

    @Test(arguments: ["Host", "Origin", "Content-Type", "Mcp-Session-Id", "MCP-Protocol-Version", "Last-Event-ID"])
    func `a field that occurs twice makes the request ambiguous`(name: String) {
        #expect(Self.fields([(name, "a"), (name, "a")]).isAmbiguous)
    }

    @Test(arguments: ["", "a b", "é", "a\tb", String(repeating: "x", count: 1025)])
    func `a session id that cannot be one of ours is none in particular`(id: String) {
        #expect(Self.fields([("Mcp-Session-Id", id)]).sessionID == "")
        #expect(Self.fields([("Mcp-Session-Id", "s"), ("Mcp-Session-Id", id)]).isAmbiguous)
    }

    @Test(arguments: ["abc.def-_~!\"", String(repeating: "x", count: 1024)])
    func `any other is kept as it is`(id: String) { #expect(Self.fields([("Mcp-Session-Id", id)]).sessionID == id) }

    @Test(
        arguments: [
            ([], 0, false), ([], 64 << 10, false), ([], 64 << 10 + 1, true),
            ([("Transfer-Encoding", "chunked")], nil, true),
            ([("Expect", "100-continue")], 2, true), ([("Expect", "100-continue")], nil, true),
        ] as [([(String, String)], Int?, Bool)])
    func `a refusal ends the connection where what is left of the body is long, or may not come`(
        fields: [(String, String)], length: Int?, ends: Bool
    ) {
        #expect(Self.fields(fields).endsConnection(refusedWith: length) == ends)
    }

    @Test func `what stands behind a value does not belong to it`() {
        let fields = Self.fields([("Mcp-Session-Id", "s \t"), ("Accept", "*/* "), ("Content-Length", "7 ")])
        #expect(fields.sessionID == "s")
        #expect(fields.accept == "*/*")
        #expect(fields.contentLength == 7)
    }

    @Test(arguments: ["Via", "x-forwarded-anything", "CF-Connecting-IP", "X-REAL-IP"])
    func `a proxy is known by its fields in any case`(name: String) {
        #expect(Self.fields([(name, "")]).isForwarded)
    }

    @Test func `the first Host counts, and an upgrade is seen`() {
        let fields = Self.fields([("Upgrade", "websocket"), ("HOST", "evil.example")])
        #expect(fields.host == "localhost")
        #expect(fields.wantsUpgrade)
        #expect(fields.isAmbiguous)
    }
}
