import BridgeConfiguration
import BridgeCore
import NIOCore
import NIOHTTP1
import Testing

@testable import BridgeUpstream

@Suite("Words of an HTTP server") struct ServerWordsTests {
    private static let words = ServerWords(secrets: ["Bearer abcdef-secret", "short"])

    @Test(arguments: [
        ("plain  text\n here", "plain text here"), ("", ""),
        ("<html><head><style>b{}</style><title>Oh</title></head><body>no <b>way</b></body></html>", "Oh no way"),
        ("<script>steal()</script>left", "left"), ("<SCRIPT>if (a < b) x('</p>')</Script >left", "left"),
        ("on<style>b{}", "on"), ("<scr", ""), ("a<!-- c -->b", "a b"), ("a < b", "a"), ("<", ""),
        ("\u{1B}[31mred\u{7}", "red\u{FFFD}"),
        (#"{"error":{"code":1,"message":"of JSON-RPC"}}"#, "of JSON-RPC"),
        (#"{"error":"invalid_token","error_description":"it is over"}"#, "it is over"),
        (#"{"detail":"of a framework"}"#, "of a framework"), (#"{"error":"plain"}"#, "plain"),
    ]) func `a body is told in one line`(body: String, expected: String) {
        #expect(Self.words.quoted(ByteBuffer(string: body)) == expected)
    }

    @Test func `a page of nothing but beginnings is looked at once`() {
        let page = ByteBuffer(string: String(repeating: "<script ", count: 8 << 10) + "left")
        #expect(Self.words.quoted(page) == "")
    }

    @Test func `what a server says before it names an address is kept within bounds`() {
        var early = EarlyMessages()
        let small = JSONText(trusting: ByteBuffer(string: #"{"method":"x"}"#))
        #expect((0..<65).map { _ in early.add(small) } == Array(repeating: true, count: 64) + [false])
        #expect(early.messages.count == 64)
        early = EarlyMessages()
        let large = JSONText(trusting: ByteBuffer(string: "\"" + String(repeating: "x", count: 600 << 10) + "\""))
        #expect([large, large, small].map { early.add($0) } == [true, false, true])
    }

    @Test func `a long body is cut`() {
        let told = Self.words.quoted(ByteBuffer(string: String(repeating: "é", count: 5_000)))
        #expect(told == String(repeating: "é", count: 200) + "…")
    }

    @Test func `what it was told in confidence is not told on`() {
        let body = ByteBuffer(string: #"{"message":"no abcdef-secret here, Bearer abcdef-secret, short"}"#)
        #expect(Self.words.quoted(body) == "no *** here, ***, short")
        let field = #"Bearer realm="x", error="invalid_token", error_description="abcdef-secret expired""#
        #expect(Self.words.challenge(.unauthorized, ["WWW-Authenticate": field], nil) == "401 *** expired")
    }

    @Test func `what follows a question mark is not told on, as it is written and as servers read it`() {
        let target = RemoteTarget(url: Secret("http://127.0.0.1:9/mcp?key=a%2Fb%3Dsecret&other=very+secret"))
        let words = ServerWords(secrets: target.secrets)
        #expect(words.masked("a%2Fb%3Dsecret, a/b=secret, very+secret, very secret") == "***, ***, ***, ***")
    }

    @Test func `a challenge without words leaves the word to the body`() {
        let body = ByteBuffer(string: "please sign in")
        #expect(
            Self.words.challenge(.unauthorized, ["WWW-Authenticate": "Bearer"], body)
                == "401 Unauthorized: please sign in")
        #expect(
            Self.words.challenge(.unauthorized, ["WWW-Authenticate": "Bearer error=invalid_token"], body)
                == "401 invalid_token")
        #expect(Self.words.challenge(.unauthorized, [:], nil) == "401 Unauthorized")
    }

    @Test func `cookies are kept by name, in their order, within bounds`() {
        var jar = CookieJar()
        jar.take(["Set-Cookie": "a=1; Path=/", "set-cookie": "b=\"2\"; Secure"])
        jar.take(["Set-Cookie": "a=3"])
        var headers: HTTPHeaders = ["Cookie": "own=0"]
        jar.add(to: &headers)
        #expect(headers["Cookie"] == ["own=0; b=\"2\"; a=3"])
        jar.take(["Set-Cookie": "a=; Max-Age=0"])
        jar.take(["Set-Cookie": "nonsense"])
        jar.take(["Set-Cookie": "bad=a\u{7}b"])
        for number in 0..<50 { jar.take(["Set-Cookie": "c\(number)=x"]) }
        jar.take(["Set-Cookie": "large=" + String(repeating: "x", count: 5_000)])
        headers = [:]
        jar.add(to: &headers)
        let cookies = headers["Cookie"].first?.split(separator: "; ") ?? []
        #expect(cookies.count == CookieJar.most && cookies.first == "b=\"2\"")
    }
}
