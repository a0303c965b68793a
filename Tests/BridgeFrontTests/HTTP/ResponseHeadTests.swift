import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeFront

@Suite("Response heads") struct ResponseHeadTests {
    private static let old = ResponsePeer(isHTTP10: true, wantsHeadOnly: false)

    /// The head without its date, and how the body follows.
    private static func text(_ head: ResponseHead, for peer: ResponsePeer = .any) -> (String, ResponseFraming) {
        var buffer = ByteBuffer()
        let framing = head.write(to: &buffer, for: peer, date: HTTPDate())
        return (Self.withoutDate(buffer), framing)
    }

    private static func withoutDate(_ buffer: ByteBuffer) -> String {
        let lines = String(buffer: buffer).split(separator: "\r\n", omittingEmptySubsequences: false)
        return lines.filter { !$0.hasPrefix("Date: ") }.joined(separator: "\r\n")
    }

    @Test func `an answer in JSON`() {
        var head = ResponseHead(200, .json(length: 7))
        head.sessionID = "s"
        let (text, framing) = Self.text(head)
        #expect(
            text
                == "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: s\r\nContent-Length: 7\r\n\r\n"
        )
        #expect(framing == .length)
    }

    @Test func `an answer without a body says so, and 204 need not`() {
        #expect(
            Self.text(ResponseHead(202, .bare(length: 0))) == (
                "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", .length
            ))
        #expect(Self.text(ResponseHead(204, .bare(length: 0))) == ("HTTP/1.1 204 No Content\r\n\r\n", .none))
    }

    @Test func `a refusal that closes says so before its length`() {
        let (text, _) = Self.text(ResponseHead(.tooManyConnections(limit: 9), length: 5))
        #expect(
            text == "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
                + "Connection: close\r\nContent-Length: 5\r\n\r\n")
    }

    @Test func `the last answer closes, a page may read it`() {
        var head = ResponseHead(200, .json(length: 5))
        head.origin = "http://localhost"
        head.closes = true
        let (text, _) = Self.text(head)
        #expect(text.contains("Content-Length: 5\r\nAccess-Control-Allow-Origin: http://localhost\r\n"))
        #expect(text.hasSuffix("Vary: Origin\r\nConnection: close\r\n\r\n"))
    }

    @Test func `events come in chunks, but for HTTP/1.0`() {
        let (text, framing) = Self.text(ResponseHead(200, .events))
        #expect(
            text == "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache, no-transform\r\n"
                + "X-Accel-Buffering: no\r\ntransfer-encoding: chunked\r\n\r\n")
        #expect(framing == .chunked)
        let (old, oldFraming) = Self.text(ResponseHead(200, .events), for: Self.old)
        #expect(!old.contains("chunked"))
        #expect(oldFraming == .close)
    }

    @Test func `a stream that is over before its first event has a length`() {
        for peer in [ResponsePeer.any, Self.old] {
            let (text, framing) = Self.text(ResponseHead(200, .noEvents), for: peer)
            #expect(text.contains("\r\nContent-Type: text/event-stream\r\n"))
            #expect(text.hasSuffix("\r\nX-Accel-Buffering: no\r\nContent-Length: 0\r\n\r\n"))
            #expect(framing == .length)
        }
    }

    private static func routed(
        _ status: HTTPResponseStatus, _ fields: [(String, String)], closes: Bool = false,
        for peer: ResponsePeer = .any
    ) -> (String, ResponseFraming) {
        var buffer = ByteBuffer()
        let head = HTTPResponseHead(version: .http1_1, status: status, headers: HTTPHeaders(fields))
        let framing = ResponseHead.write(head, closes: closes, to: &buffer, for: peer, date: HTTPDate())
        return (Self.withoutDate(buffer), framing)
    }

    @Test func `the router's heads are framed likewise`() {
        #expect(
            Self.routed(.ok, [("Content-Length", "3")]) == ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", .length))
        #expect(Self.routed(.ok, []) == ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", .chunked))
        #expect(Self.routed(.ok, [], for: Self.old) == ("HTTP/1.1 200 OK\r\n\r\n", .close))
        #expect(Self.routed(.noContent, [("content-length", "0")]) == ("HTTP/1.1 204 No Content\r\n\r\n", .none))
        let head = ResponsePeer(isHTTP10: false, wantsHeadOnly: true)
        #expect(
            Self.routed(.ok, [("Content-Length", "3")], for: head) == (
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", .length
            ))
        #expect(Self.routed(.ok, [], for: head) == ("HTTP/1.1 200 OK\r\n\r\n", .none))
    }

    @Test func `a head that closes says so once, where it said so or at the end`() {
        let fields = [("A", "b")]
        #expect(
            Self.routed(.noContent, fields, closes: true).0
                == "HTTP/1.1 204 No Content\r\nA: b\r\nConnection: close\r\n\r\n")
        let closing = [("Connection", "close"), ("A", "b")]
        #expect(
            Self.routed(.noContent, closing, closes: true).0
                == "HTTP/1.1 204 No Content\r\nConnection: close\r\nA: b\r\n\r\n")
    }

    @Test func `a chunk has its length before it`() {
        var buffer = ByteBuffer()
        ResponseFraming.chunked.write(ByteBuffer(string: String(repeating: "x", count: 26)), to: &buffer)
        ResponseFraming.chunked.write(ByteBuffer(), to: &buffer)
        #expect(String(buffer: buffer) == "1a\r\n\(String(repeating: "x", count: 26))\r\n")
    }
}
