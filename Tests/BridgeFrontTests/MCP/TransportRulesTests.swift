import NIOCore
import Testing

@testable import BridgeFront

@Suite("Transport rules") struct TransportRulesTests {
    @Test(
        arguments: [
            nil, "application/json, text/event-stream", "text/event-stream,application/json", "*/*",
            "application/*, text/*", "Application/JSON;q=0.5, text/event-stream ; q=1", "text/html, */*;q=0.8",
        ] as [String?])
    func `a client that takes both forms is served`(accept: String?) {
        #expect(TransportRules.accepts(accept, ["application/json", "text/event-stream"]))
    }

    @Test(arguments: [
        "", "application/json", "text/event-stream", "text/html", "application/json;q=0, text/event-stream",
        "text/event-stream;q=0, */*", "application/jsonp, text/event-streams", "application/json text/event-stream",
    ])
    func `a client that refuses one of them is not`(accept: String) {
        #expect(!TransportRules.accepts(accept, ["application/json", "text/event-stream"]))
    }

    @Test(arguments: [
        "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
        "application/vnd.api+json", "application/json; profile=x",
    ])
    func `JSON in UTF-8 is taken`(type: String) {
        #expect(TransportRules.isJSON(type))
    }

    @Test(
        arguments: [
            nil, "", "text/plain", "text/json", "application/jsonp", "application/+json",
            "application/json; charset=utf-16",
            "application/json; charset=latin1", "application/x-www-form-urlencoded", "text/plain; application/json",
            "multipart/form-data", "application/xml+jsonx",
        ] as [String?])
    func `anything else is not, what a form can send above all`(type: String?) {
        #expect(!TransportRules.isJSON(type))
    }

    @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", nil] as [String?])
    func `four revisions are served`(version: String?) {
        #expect(TransportRules.checkVersion(version) == nil)
    }

    @Test(arguments: ["", "2026-07-28", "1.0", "2025-06-18 ", "DRAFT"])
    func `any other revision is refused`(version: String) {
        #expect(TransportRules.checkVersion(version)?.status == 400)
    }

    @Test(
        arguments: [
            ("2024-11-05", nil, "null"), ("2025-03-26", nil, "null"), ("2025-06-18", "s", "null"),
            ("2025-11-25", "s", nil),
            ("2025-11-25", nil, nil), (nil, "s", "null"), (nil, nil, nil), ("1.0", "s", nil),
        ] as [(String?, String?, String?)])
    func `an id that could not be read is null in the revisions that must have one`(
        version: String?, session: String?, id: String?
    ) {
        var fields = RequestFieldsTests.fields([])
        fields.protocolVersion = version
        fields.sessionID = session
        #expect(TransportRules.unreadableID(fields) == id.map { ByteBuffer(string: $0) })
    }

    @Test func `GET and DELETE need a session`() {
        var fields = RequestFieldsTests.fields([("Accept", "text/event-stream")])
        #expect(TransportRules.checkGet(fields) == .sessionRequired)
        #expect(TransportRules.checkDelete(fields) == .sessionRequired)
        fields.sessionID = "s"
        #expect(TransportRules.checkGet(fields) == nil)
        fields.accept = "application/json"
        #expect(TransportRules.checkGet(fields)?.status == 406)
        #expect(TransportRules.checkDelete(fields) == nil)
    }

    @Test func `a body that is announced too long is refused before it is read`() {
        var fields = RequestFieldsTests.fields([("Content-Type", "application/json"), ("Content-Length", "11")])
        #expect(TransportRules.checkPost(fields, limit: 11) == nil)
        #expect(TransportRules.checkPost(fields, limit: 10)?.status == 413)
        fields.contentType = nil
        #expect(TransportRules.checkPost(fields, limit: 10)?.status == 415)
    }
}
