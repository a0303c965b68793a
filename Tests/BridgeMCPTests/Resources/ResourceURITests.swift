import BridgeMCP
import BridgeTesting
import Testing

@Suite("URIs of resources, as filters compare them") struct ResourceURITests {
    @Test(arguments: [
        ("file:///a/b", "file:///a/b"),
        ("FILE://Host/a/b", "file://host/a/b"),
        ("http://User@EXAMPLE.com:80/A", "http://example.com/A"),
        ("https://example.com:443", "https://example.com/"),
        ("ftp://User@EXAMPLE.com:80/A", "ftp://User@example.com:80/A"),
        ("file:/a/b", "file:///a/b"), ("file://localhost/a", "file:///a"), ("file:////a//b", "file:///a//b"),
        ("file:///a/./b/../c", "file:///a/c"),
        ("file:///../../etc/passwd", "file:///etc/passwd"),
        ("file:///a/%2e%2E/c", "file:///c"),
        ("file:///%7euser/%2fx", "file:///~user/%2Fx"),
        ("file:///a/..", "file:///"),
        ("file:///a/.", "file:///a/"),
        ("file:///a//b/", "file:///a//b/"),
        ("memo:x/../secret", "memo:secret"),
        ("memo:insights", "memo:insights"),
        ("urn:isbn:0-395-36341-1", "urn:isbn:0-395-36341-1"),
        ("note://a?q=../x#%41", "note://a?q=../x#A"),
        ("ui://card/main.html", "ui://card/main.html"),
        ("file:///My Notes/ä", "file:///My%20Notes/%C3%A4"),
    ])
    func `a URI has one spelling`(_ uri: String, _ wanted: String) {
        #expect(ResourceURI.normalised(uri) == wanted)
    }

    @Test(arguments: [
        "", "relative/path", "/etc/passwd", ":x", "1a:x", "file:///a%2", "file:///a%zz", "file:///a\\..\\b",
        "file:///a\u{0}", "file:///a\n", "f ile:///a",
    ])
    func `what is no URI has none`(_ uri: String) {
        #expect(ResourceURI.normalised(uri) == nil)
    }

    @Test func `a second time changes nothing`() {
        var random = SeededRandom(seed: 41)
        let alphabet = Array("aB/.%2eE~?#:@-_*")
        for _ in 0..<20_000 {
            let tail = (0..<Int.random(in: 0...24, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? "a"
            }
            let uri = "X-y:" + (Bool.random(using: &random) ? "//" : "") + String(tail)
            guard let once = ResourceURI.normalised(uri) else { continue }
            #expect(ResourceURI.normalised(once) == once, "\(uri)")
            let path = once.dropFirst(4).prefix { $0 != "?" && $0 != "#" }
            if !path.hasPrefix("//") { #expect(!path.split(separator: "/").contains(".."), "\(uri)") }
        }
    }

    @Test(arguments: [
        ("FILE:///Etc/*", "file:///Etc/*"), ("http://EXAMPLE.com/%7ea?", "http://example.com/~a?"),
        ("*secret*", "*secret*"),
    ])
    func `patterns are spelled alike`(_ pattern: String, _ wanted: String) {
        #expect(ResourceURI.normalised(pattern: pattern) == wanted)
    }
}
