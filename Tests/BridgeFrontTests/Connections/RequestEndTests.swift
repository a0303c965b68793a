import NIOCore
import Testing

@testable import BridgeFront

@Suite("The end of a request") struct RequestEndTests {
    private static let head = "POST /mcp HTTP/1.1\r\nContent-Length: 2\r\n\r\n"

    private static func isFollowed(_ read: String, body: String?) -> Bool {
        RequestEnd.isFollowed(
            in: ByteBuffer(string: read), body: body.map { RequestEnd.Tail(ByteBuffer(string: $0)) }
        )
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", nil), ("GET / HTTP/1.1\n\n", nil), ("\r\n", nil), ("\n", nil), ("\n\r\n", nil),
        (Self.head + "{}", "{}"), ("{}", "{}"), ("}", "}"), ("a long body, of which the end counts", "the end counts"),
        ("1\r\nx\r\n0\r\n\r\n", "x"), (Self.head + "\n\n", "\n\n"),
    ])
    func `a read that ends with the request is not followed`(read: String, body: String?) {
        #expect(!Self.isFollowed(read, body: body))
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\nG", nil), ("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n", nil), (Self.head + "{}P", "{}"),
        (Self.head + "{}POST /mcp HTTP/1.1\r\nHost: localhost\r\n", "{}"), ("1\r\nx\r\n0\r\n\r\nPO", "x"),
        ("x\r\n", nil),
    ])
    func `a read that goes on with part of a head is followed`(read: String, body: String?) {
        #expect(Self.isFollowed(read, body: body))
    }
}
