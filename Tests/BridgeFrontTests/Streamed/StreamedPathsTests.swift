import Testing

@testable import BridgeFront

@Suite("Paths of HTTP+SSE") struct StreamedPathsTests {
    private static let paths = StreamedPaths(publicURL: nil)
    private static let below = StreamedPaths(publicURL: "https://example.org:8443/a/b")

    @Test(
        arguments: [
            ("/sse", .stream), ("/sse/", .stream), ("/sse?names=safe", .stream), ("/messages/", .messages),
            ("/messages/?session_id=1", .messages), ("/messages", nil), ("/messages?session_id=1", nil),
            ("/messages//", nil), ("//messages/", nil), ("/messages/x", nil), ("/v1/messages", nil),
            ("/v1/messages/", nil),
            ("/SSE", nil), ("/ssex", nil), ("/x?/sse", nil), ("sse", nil), ("*", nil), ("/a/b/sse", nil),
        ] as [(String, StreamedPaths.Kind?)])
    func `are exact`(target: String, kind: StreamedPaths.Kind?) { #expect(Self.paths.kind(of: target) == kind) }

    @Test(
        arguments: [
            ("/a/b/sse", .stream), ("/a/b/messages/?session_id=1", .messages), ("/sse", .stream),
            ("/messages/", .messages),
            ("/a/sse", nil), ("/a/b/messages", nil), ("/a/bsse", nil),
        ] as [(String, StreamedPaths.Kind?)])
    func `are found below the public path, and without it`(target: String, kind: StreamedPaths.Kind?) {
        #expect(Self.below.kind(of: target) == kind)
    }

    @Test func `a client is told a path`() {
        #expect(Self.paths.messages(of: "7", below: nil) == "/messages/?session_id=7")
        #expect(Self.below.messages(of: "7", below: nil) == "/a/b/messages/?session_id=7")
        #expect(Self.below.messages(of: "7", below: "/p") == "/p/messages/?session_id=7")
        #expect(StreamedPaths(publicURL: "http://[::1]:80").messages(of: "7", below: nil) == "/messages/?session_id=7")
    }

    @Test(
        arguments: [
            ("/messages/?session_id=7", "7"), ("/messages/?x=1&session_id=7&y", "7"), ("/messages/?session_id=", ""),
            ("/messages/?session_id=7#z", "7"), ("/messages/", nil), ("/messages/?session=7", nil),
            ("/messages/?session_id=7&session_id=8", nil), ("/messages/#?session_id=7", nil),
        ] as [(String, String?)])
    func `a session is named once`(target: String, session: String?) {
        #expect(StreamedPaths.session(in: target) == session)
    }

    @Test(
        arguments: [
            ("/a", "/a"), ("/a/b/", "/a/b"), ("/", ""), ("", ""), ("//evil.example", nil), ("/a//b", nil), ("a", nil),
            ("http://x/", nil), ("/a\r\nb", nil), ("/a b", nil), ("/a, /b", nil), ("/\\evil", nil), ("/a?b", nil),
            ("/ä", nil),
        ] as [(String, String?)])
    func `a prefix is a path of this host`(text: String, prefix: String?) {
        #expect(StreamedPaths.prefix(text) == prefix)
    }
}
