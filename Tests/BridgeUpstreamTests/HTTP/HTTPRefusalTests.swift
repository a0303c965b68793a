import BridgeCore
import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeUpstream

@Suite("Refusals by an HTTP server") struct HTTPRefusalTests {
    private static func refusal(
        _ status: Int, _ body: String? = nil, headers: HTTPHeaders = [:], request: Int? = 7, isGreeting: Bool = false,
        hasSession: Bool = true, isAlone: Bool = false, isHarmless: Bool = false
    ) -> HTTPRefusal {
        HTTPRefusal(
            status: HTTPResponseStatus(statusCode: status), headers: headers,
            body: body.map { ByteBuffer(string: $0) }, request: request,
            isGreeting: isGreeting, isOwn: isGreeting, hasSession: hasSession, isAlone: isAlone, isHarmless: isHarmless,
            retryAfter: RetryAfter.seconds(headers, now: 0))
    }

    private static func error(_ id: String, _ code: Int, _ message: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":\#(code),"message":"\#(message)"}}"#
    }

    private static func isAnswer(_ refusal: HTTPRefusal) -> Bool { if case .answer = refusal { true } else { false } }

    @Test(arguments: [405, 413, 421, 425, 429, 431]) func `these say that nothing was done`(status: Int) {
        #expect(Self.refusal(status) == .notRun(retryAfter: nil))
        #expect(Self.refusal(status, hasSession: false) == .notRun(retryAfter: nil))
    }

    @Test(arguments: [300, 402, 406, 408, 409, 410, 418, 500, 502, 503, 504])
    func `these say nothing of it`(status: Int) {
        #expect(Self.refusal(status) == .mayHaveRun)
    }

    @Test func `a server that is busy says so by Retry-After`() {
        #expect(Self.refusal(503, headers: ["Retry-After": "3"], isHarmless: true) == .notRun(retryAfter: 3))
        #expect(Self.refusal(429, headers: ["Retry-After": " 9 "]) == .notRun(retryAfter: 9))
    }

    @Test(arguments: [429, 503]) func `whoever greets too soon has no answer, whatever the body says`(status: Int) {
        let body = Self.error("7", -32000, "Too many requests")
        let refusal = Self.refusal(status, body, headers: ["Retry-After": "9"], isGreeting: true, isHarmless: true)
        #expect(refusal == .notRun(retryAfter: 9))
        #expect(Self.isAnswer(Self.refusal(status, body, headers: ["Retry-After": "9"])))
        #expect(Self.isAnswer(Self.refusal(status, body, isGreeting: true)))
    }

    @Test func `a call may have run behind a proxy that says by Retry-After when to come again`() {
        #expect(Self.refusal(503, headers: ["Retry-After": "3"]) == .mayHaveRun)
    }

    @Test(arguments: [
        nil, "", #"{"detail":"x"}"#, Self.error("null", -32001, "Session not found"),
        Self.error(#""server-error""#, -32600, "Session not found"), Self.error("7", -32600, "Session not found"),
    ]) func `a session is unknown by 404, whatever the body says`(body: String?) {
        #expect(Self.refusal(404, body) == .sessionUnknown)
    }

    @Test func `404 is an answer where it is about the method, and nothing where there is no session`() {
        #expect(Self.isAnswer(Self.refusal(404, Self.error("7", -32601, "Method not found"))))
        #expect(Self.refusal(404, hasSession: false) == .mayHaveRun)
        #expect(Self.refusal(404, isGreeting: true) == .mayHaveRun)
    }

    private static let unclear = [
        nil, "Bad Request", Self.error("null", -32000, "Bad Request: No valid session ID"),
        Self.error("7", -32000, "no such session"),
        Self.error("null", -32000, "Bad Request: Unsupported protocol version: 2025-11-25"), Self.plainRevision,
    ]
    private static let plainRevision = "Bad Request: Unsupported protocol version (supported versions: 2025-06-18)\n"

    @Test(arguments: Self.unclear)
    func `400 may be about the session, about the revision, or about this message alone`(body: String?) {
        let isRevision = body?.contains("protocol") ?? false
        #expect(Self.refusal(400, body) == .unclear(isRevision: isRevision))
        // The server takes other messages of the session: it is this one.
        let alone = Self.refusal(400, body, isAlone: true)
        #expect(body?.hasPrefix("{") == true ? Self.isAnswer(alone) : alone == .mayHaveRun)
    }

    @Test func `404 to a message alone ran nothing, and a notification may be refused for its revision`() {
        #expect(Self.refusal(404, isAlone: true) == .notRun(retryAfter: nil))
        let revision = Self.error("null", -32000, "Unsupported protocol version")
        #expect(Self.refusal(400, revision, request: nil) == .revisionRefused)
        #expect(Self.refusal(400, Self.plainRevision, request: nil) == .revisionRefused)
    }

    @Test(arguments: [#"{"error":{"code":429,"message":"slow down"}}"#, #"{"id":"x","error":{"message":"no"}}"#])
    func `an error of another interface than JSON-RPC is no answer`(body: String) {
        #expect(Self.refusal(500, body) == .mayHaveRun)
        #expect(Self.refusal(429, body) == .notRun(retryAfter: nil))
        #expect(Self.refusal(404, body) == .sessionUnknown)
        #expect(Self.isAnswer(Self.refusal(500, #"{"id":7,"error":{"message":"no"}}"#)), "it is ours by its id")
    }

    @Test func `while the body of a refusal has not come, its head says whether anything may have run`() {
        func leavesOpen(
            _ status: Int, _ headers: HTTPHeaders = [:], hasSession: Bool = true, isHarmless: Bool = false
        ) -> Bool {
            HTTPRefusal.leavesOpen(
                HTTPResponseHead(
                    version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers),
                isGreeting: false, hasSession: hasSession, isHarmless: isHarmless)
        }
        for status in [300, 303, 400, 403, 409, 500, 502, 503, 504] { #expect(leavesOpen(status), "\(status)") }
        for status in [401, 404, 405, 413, 421, 425, 429, 431] { #expect(!leavesOpen(status), "\(status)") }
        #expect(leavesOpen(503, ["Retry-After": "1"]))
        #expect(!leavesOpen(503, ["Retry-After": "1"], isHarmless: true))
        #expect(leavesOpen(404, hasSession: false))
    }

    @Test(
        arguments: [
            (200, nil, SessionInquiry.Verdict.known), (202, nil, .known), (404, nil, .unknown(isRevision: false)),
            (400, "Bad Request", .unknown(isRevision: false)), (400, Self.error("null", -32601, "no ping"), .known),
            (404, Self.error("null", -32601, "no ping"), .known),
            (400, Self.error("null", -32000, "Unsupported protocol version"), .unknown(isRevision: true)),
            (400, Self.plainRevision, .unknown(isRevision: true)),
            (401, nil, .open), (429, nil, .open), (500, nil, .open), (503, nil, .open),
        ] as [(Int, String?, SessionInquiry.Verdict)])
    func `a ping tells whether the session is known`(status: Int, body: String?, expected: SessionInquiry.Verdict) {
        let body = body.map { ByteBuffer(string: $0) }
        #expect(SessionInquiry.verdict(HTTPResponseStatus(statusCode: status), body) == expected)
    }

    @Test(arguments: [nil, "Bad Request", Self.error("null", -32000, "no such session")])
    func `400 to a notification means nothing`(body: String?) {
        #expect(Self.refusal(400, body, request: nil) == .mayHaveRun)
    }

    @Test func `400 with an error to this very request is its answer`() {
        #expect(Self.isAnswer(Self.refusal(400, Self.error("7", -32602, "bad arguments"))))
        #expect(Self.isAnswer(Self.refusal(400, Self.error("null", -32700, "what?"), hasSession: false)))
    }

    @Test(arguments: [402, 403, 409, 422, 429, 500, 503]) func `an error in the body is the answer`(status: Int) {
        #expect(Self.isAnswer(Self.refusal(status, Self.error("7", -1, "of its own"))))
        #expect(!Self.isAnswer(Self.refusal(status, Self.error("7", -1, "of its own"), request: nil)))
    }

    @Test func `who has not signed in is told so by 401, and by 403 with a challenge`() {
        #expect(Self.refusal(401) == .signInNeeded)
        #expect(Self.refusal(401, Self.error("7", -1, "who?")) == .signInNeeded)
        #expect(
            Self.refusal(403, headers: ["WWW-Authenticate": #"Bearer error="insufficient_scope""#]) == .signInNeeded)
        #expect(Self.refusal(403) == .mayHaveRun)
    }

    @Test(arguments: [
        ("120", 120), ("  5", 5), ("0", 0), ("99999999999999999999", 86_400), ("-1", nil), ("soon", nil), ("", nil),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 90), ("Sun, 06 Nov 1994 08:49:37 GMT", 86_400),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0), ("Thu, 41 Jan 1970 00:00:01 GMT", nil),
    ]) func `Retry-After is a number or a date`(text: String, expected: Int?) {
        #expect(RetryAfter.seconds(["Retry-After": text], now: 10) == expected)
    }

    @Test func `a date is a time`() {
        let now = 784_111_777 - 30
        #expect(RetryAfter.seconds(["Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"], now: now) == 30)
        #expect(RetryAfter.seconds(["Retry-After": "Thu, 29 Feb 2024 00:00:00 GMT"], now: 1_709_164_800) == 0)
    }
}
