import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

@Suite("What is asked for, and what a redirect is worth") struct AuthorizationTests {
    private static let attempt = SignInAttempt(
        state: "s1.676974687562", verifier: Secret("v"), redirect: "http://127.0.0.1:8770/callback",
        issuer: Fixture.issuer,
        scope: "a b", resource: Fixture.server, began: Fixture.now.wall)

    private func verdict(_ text: String, _ more: String = "", at wall: Double = Fixture.now.wall + 5) throws
        -> RedirectVerdict
    {
        let metadata = try Fixture.metadata(Fixture.issuer, more)
        return RedirectVerdict.of(
            FormFields(redirect: text), attempts: [Self.attempt], metadata: { _ in metadata }, now: wall)
    }

    private func word(_ verdict: RedirectVerdict) -> String { String("\(verdict)".prefix { $0 != "(" }) }

    // MARK: Scopes

    @Test
    func `scopes are the configuration's, else the challenge's, else the resource's, and never the server's own list`()
        throws
    {
        var found = try Fixture.found(#","scopes_supported":["admin","openid"]"#)
        #expect(ScopeRule.asked(found, settings: Fixture.settings()).scope == nil)
        found.resourceScopes = ["r"]
        #expect(ScopeRule.asked(found, settings: Fixture.settings()).scope == "r")
        found.challengedScope = "c d"
        #expect(ScopeRule.asked(found, settings: Fixture.settings()).scope == "c d")
        #expect(ScopeRule.asked(found, settings: Fixture.settings { $0.scopes = ["x"] }).scope == "x")
        #expect(ScopeRule.asked(found, settings: Fixture.settings { $0.scopes = [] }).scope == nil)
        #expect(ScopeRule.asked(found, settings: Fixture.settings(), wanted: ["d", "e"]).scope == "c d e")
    }

    @Test func `offline_access is added where the server lists it or the configuration says so`() throws {
        let found = try Fixture.found(#","scopes_supported":["offline_access"]"#)
        let asked = ScopeRule.asked(found, settings: Fixture.settings())
        #expect(asked.scope == "offline_access" && asked.addsOffline)
        let plain = ScopeRule.asked(try Fixture.found(), settings: Fixture.settings { $0.offline = true })
        #expect(plain.addsOffline)
        let configured = ScopeRule.asked(found, settings: Fixture.settings { $0.scopes = ["x"] })
        #expect(configured.scope == "x" && !configured.addsOffline)
    }

    @Test func `rights that a call lacked are asked for once, with all that there were, and only where they are more`()
    {
        #expect(ScopeRule.steppedUp(asked: "a b", granted: "a", challenged: "c") == ["a", "b", "c"])
        #expect(ScopeRule.steppedUp(asked: "a", granted: "a c", challenged: "c") == nil)
        #expect(ScopeRule.steppedUp(asked: "a b", granted: nil, challenged: "b") == nil)
        #expect(ScopeRule.words("a,b c") == ["a", "b", "c"])
    }

    // MARK: The address

    @Test func `the address has everything once, and keeps what stands in the endpoint`() {
        let url = AuthorizationURL.make(
            "https://as.example/authorize?p=1", client: Fixture.client(), attempt: Self.attempt, addsOffline: true,
            settings: Fixture.settings {
                $0.extraParameters = ["audience": "x y", "state": "mine", "access_type": "offline"]
            })
        let fields = FormFields(redirect: url)
        #expect(url.hasPrefix("https://as.example/authorize?p=1&response_type=code"))
        #expect(fields["code_challenge_method"] == "S256" && fields["code_challenge"] == PKCE.challenge(of: "v"))
        #expect(fields["resource"] == Fixture.server && fields["scope"] == "a b" && fields["prompt"] == "consent")
        #expect(
            fields["audience"] == "x y" && fields["access_type"] == "offline" && fields["state"] == Self.attempt.state)
        #expect(fields["redirect_uri"] == "http://127.0.0.1:8770/callback")
        #expect(Set(fields.all.map(\.name)).count == fields.all.count)
    }

    @Test func `Slack has its scopes under another name`() {
        var attempt = Self.attempt
        attempt.issuer = "https://slack.com"
        let url = AuthorizationURL.make(
            "https://slack.com/oauth", client: Fixture.client(), attempt: attempt, addsOffline: false,
            settings: Fixture.settings())
        #expect(FormFields(redirect: url)["user_scope"] == "a b" && FormFields(redirect: url)["scope"] == nil)
    }

    // MARK: The redirect

    @Test func `a code is good with its state, as a query, a whole address, or broken over lines`() throws {
        for text in [
            "code=c&state=s1.676974687562", "http://127.0.0.1:8770/callback?state=s1.676974687562&code=c#x",
            "http://127.0.0.1:8770/callback?state=s1.6769\n  74687562&code=c",
        ] {
            #expect(try self.verdict(text) == .code(Secret("c"), Self.attempt))
        }
        #expect(SignInState.upstream(ofRedirect: "code=c&state=s1.676974687562") == "github")
    }

    @Test func `what has another state, none, or comes too late ends nothing`() throws {
        for text in ["code=c", "code=c&state=s2", "state=", "code=c&state=s1.676974687562&state=x&code=d"] {
            #expect(self.word(try self.verdict(text)) == "unknown")
        }
        #expect(self.word(try self.verdict("code=c&state=s1.676974687562", at: Fixture.now.wall + 601)) == "unknown")
    }

    @Test
    func `an issuer that is there must be the one that was asked, letter by letter, before anything else is believed`()
        throws
    {
        let good = "code=c&state=s1.676974687562&iss=https%3A%2F%2Fas.example"
        #expect(self.word(try self.verdict(good)) == "code")
        for bad in ["https://as.example/", "https://evil.example", ""] {
            let text =
                "error=access_denied&error_description=attack&state=s1.676974687562&iss=\(FormFields.encode(bad))"
            guard case .refused(let words, _, error: nil) = try self.verdict(text) else { return #expect(Bool(false)) }
            #expect(words.contains("another issuer") && !words.contains("attack"))
        }
    }

    @Test func `an issuer that is missing is refused only where it was promised`() throws {
        let promise = #","authorization_response_iss_parameter_supported":true"#
        let text = "code=c&state=s1.676974687562"
        guard case .refused(let words, _, _) = try self.verdict(text, promise) else { return #expect(Bool(false)) }
        #expect(words.contains("'iss'"))
        #expect(self.word(try self.verdict(text)) == "code")
    }

    @Test func `an error ends the sign-in, and its words are made harmless`() throws {
        let text = "error=access_denied&error_description=no%1B%5B2Jway&state=s1.676974687562"
        guard case .refused(let words, _, let error) = try self.verdict(text) else { return #expect(Bool(false)) }
        #expect(error == "access_denied" && words.contains("no [2Jway") && !words.contains("\u{1B}"))
        guard case .refused = try self.verdict("state=s1.676974687562") else { return #expect(Bool(false)) }
    }

    @Test(arguments: ["github", "a.b", "Käse", ""]) func `a state says whose it is`(name: String) {
        let state = SignInState.make(random: "abc-_", upstream: name)
        #expect(SignInState.upstream(of: state) == (name.isEmpty ? nil : name))
        #expect(SignInState.upstream(of: "abc") == nil && SignInState.upstream(of: "abc.zz") == nil)
    }

    @Test(arguments: [
        ("https://h/p?q#f", "https://h", "/p"), ("http://H:80", "http://h", ""),
        ("http://[::1]:8/x", "http://[::1]:8", "/x"),
    ]) func `an address is taken apart as it is written`(text: String, origin: String, path: String) {
        let address = WebAddress(text)
        #expect(address?.origin == origin && address?.path == path && address?.text == text)
    }

    @Test(arguments: ["http://127.0.0.1", "http://localhost:1", "http://[::1]", "https://x"])
    func `safe is TLS, or this machine`(text: String) { #expect(WebAddress(text)?.isSafe == true) }

    @Test(arguments: ["http://127.0.0.1.evil.example", "http://127.1.evil", "http://10.0.0.1", "http://localhost.evil"])
    func `what looks like this machine is not`(text: String) { #expect(WebAddress(text)?.isSafe == false) }
}
