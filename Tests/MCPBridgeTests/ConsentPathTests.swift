import Testing

@testable import BridgeHTTPClient
@testable import mcp_bridge

@Suite("Consent path") struct ConsentPathTests {
    private static let redirect = "http://127.0.0.1:8770/callback"

    private func path(_ issuer: String = "https://as.example") -> ConsentPath {
        ConsentPath(issuer: issuer, redirect: Self.redirect)
    }

    private func address(_ url: String) throws -> HTTPAddress { try #require(HTTPAddress(url)) }

    @Test func `the password goes to the consent page with its transaction, and the code comes back`() throws {
        var path = self.path()
        #expect(
            path.begin(at: "https://as.example/authorize?x=1")
                == .get(try self.address("https://as.example/authorize?x=1")))
        let page = try self.address("https://as.example/consent?txn=t%201&y=2")
        #expect(path.answered(status: 302, location: "/consent?txn=t%201&y=2") == .fill(page, transaction: "t 1"))
        #expect(page.withoutQuery == (try self.address("https://as.example/consent")))
        #expect(
            path.answered(status: 303, location: Self.redirect + "?code=c&state=s") == .back(query: "code=c&state=s"))
    }

    @Test(arguments: [
        "https://evil.example/consent?txn=t", "http://as.example/consent?txn=t", "https://as.example:444/consent?txn=t",
        "//evil.example/consent?txn=t",
    ])
    func `no other origin is given the password`(location: String) {
        var path = self.path()
        _ = path.begin(at: "https://as.example/authorize")
        let origin = ConsentPath.Step.giveUp("the page is not on the authorization server's own origin")
        #expect(path.answered(status: 302, location: location) == origin)
        var other = self.path()
        #expect(other.begin(at: location.hasPrefix("//") ? "https:\(location)" : location) == origin)
    }

    @Test func `a page without TLS beyond this machine is not filled in`() {
        var path = self.path("http://as.example")
        #expect(path.begin(at: "http://as.example/authorize") == .giveUp("the page is not reached by https"))
    }

    @Test func `five redirects are followed and no more`() {
        var path = self.path()
        _ = path.begin(at: "https://as.example/0")
        for number in 1...5 {
            guard case .get = path.answered(status: 302, location: "/\(number)") else { return #expect(Bool(false)) }
        }
        #expect(path.answered(status: 302, location: "/6") == .giveUp("it redirects more than 5 times"))
    }

    @Test func `a page that is no consent page, and one that takes no password, are given up`() {
        var path = self.path()
        _ = path.begin(at: "https://as.example/authorize")
        #expect(
            path.answered(status: 200, location: nil) == .giveUp("there is no consent page, but another one (HTTP 200)")
        )
        _ = path.begin(at: "https://as.example/authorize")
        _ = path.answered(status: 302, location: "/consent?txn=t")
        #expect(
            path.answered(status: 403, location: nil)
                == .giveUp("the page did not take the owner's password (HTTP 403)"))
    }

    @Test func `the password is given once`() throws {
        var path = self.path()
        _ = path.begin(at: "https://as.example/authorize")
        _ = path.answered(status: 302, location: "/consent?txn=t")
        let again = path.answered(status: 302, location: "/consent?txn=t")
        #expect(again == .get(try self.address("https://as.example/consent?txn=t")))
    }

    @Test(arguments: [
        ("https://as.example/authorize?client_id=a", true), ("http://127.0.0.1:9/authorize", true),
        ("http://as.example/authorize", false), ("file:///etc/passwd", false), ("javascript:alert(1)", false),
        ("https://as.example/a b", false), ("https://as.example/\u{1b}[2J", false), ("https://as.example/\"x", false),
        ("-x", false), ("", false),
    ])
    func `a browser is given only what is an address for it`(url: String, isGiven: Bool) {
        #expect(Browser.mayOpen(url) == isGiven)
    }
}
