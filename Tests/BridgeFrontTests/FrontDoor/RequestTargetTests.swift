import BridgeTesting
import Testing

@testable import BridgeFront

@Suite("Request targets") struct RequestTargetTests {
    @Test(arguments: ["/", "/mcp", "/mcp?names=safe", "//host/path", "//", "/http://localhost/", "/?x", "/*"])
    func `what begins with a slash is a path`(text: String) {
        #expect(RequestTarget(text) == .path(text))
        #expect(RequestTarget(text).path == text)
    }

    @Test(arguments: [
        ("http://localhost/mcp", "localhost", "/mcp"), ("HTTP://LOCALHOST:80/MCP", "LOCALHOST:80", "/MCP"),
        ("http://h", "h", "/"), ("http://h?x=/y", "h", "/?x=/y"), ("http://h/?x=http://i/", "h", "/?x=http://i/"),
        ("http://h//mcp", "h", "//mcp"), ("http://[::1]:1/a", "[::1]:1", "/a"), ("http:///mcp", "", "/mcp"),
        ("http://", "", "/"), ("http://u@h/", "u@h", "/"), ("http://h#/f", "h", "/#/f"),
    ])
    func `a URL of our scheme is a host and a path`(text: String, authority: String, path: String) {
        #expect(RequestTarget(text) == .url(authority: authority, path: path))
        #expect(RequestTarget(text).path == path)
    }

    @Test(arguments: [
        "", "mcp", "https://localhost/", "http:/localhost", "http:localhost", "http", "http:", "localhost:80",
        "ws://h/", "**",
        " /", "\\mcp", "file:///etc/passwd", "httpx://h/",
    ])
    func `everything else is foreign`(text: String) {
        #expect(RequestTarget(text) == .foreign)
        #expect(RequestTarget(text).path == nil)
    }

    @Test func `an asterisk is the service`() { #expect(RequestTarget("*") == .service) }

    /// Nothing of a target is lost, and nothing of it is both: a host that is checked, a path that is served.
    @Test func `whatever a URL is made of, it falls into the same two parts`() {
        var random = SeededRandom(seed: 12)
        let pieces = ["/", "?", "#", "@", ":", "a", "B", "%2f", "[", "]", "..", "http://", "\\", "é", " "]
        for _ in 0..<20_000 {
            let rest = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                pieces[Int.random(in: 0..<pieces.count, using: &random)]
            }.joined()
            let scheme = String("http://".map { Bool.random(using: &random) ? Character($0.uppercased()) : $0 })
            guard case .url(let authority, let path) = RequestTarget(scheme + rest) else {
                Issue.record("\(scheme + rest) is no URL")
                continue
            }
            #expect(path.utf8.first == UInt8(ascii: "/"))
            #expect(authority + path == rest || authority + path.dropFirst() == rest)
            #expect(!authority.utf8.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") })
        }
    }
}

@Suite("Host names") struct HostNameTests {
    private static let hosts = ["localhost", "127.0.0.1", "[::1]", "bridge.example", "a-b_c.d"]

    /// How a client may spell a host and a port.
    private static func spellings(_ host: String, _ port: Int) -> [String] {
        let ports = port == 80 ? ["", ":", ":80", ":0080"] : [":\(port)", ":0\(port)"]
        let names = [host, host.uppercased()] + (host.hasPrefix("[") ? [] : [host + "."])
        return names.flatMap { name in ports.map { name + $0 } }
    }

    @Test func `are the same in every spelling, and differ by host and by port`() {
        let ports = [80, 81, 443, 8769]
        let named = Self.hosts.flatMap { host in ports.map { (host, $0) } }
        for (host, port) in named {
            for (other, otherPort) in named {
                for spelling in Self.spellings(host, port) {
                    for otherSpelling in Self.spellings(other, otherPort) {
                        let isSame = HostName(spelling) == HostName(otherSpelling)
                        #expect(isSame == (host == other && port == otherPort), "\(spelling) \(otherSpelling)")
                    }
                }
            }
        }
    }

    @Test(arguments: [
        "", ":", ":80", "u@h", "h:x", "h:1:2", "h:123456", "h/", "h h", "[::1", "::1", "[h]", "h%41", "é", ".",
    ])
    func `are nothing else`(text: String) { #expect(HostName(text) == nil) }
}
