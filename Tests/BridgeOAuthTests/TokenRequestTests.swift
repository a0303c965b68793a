import BridgeConfiguration
import BridgeCore
import FoundationEssentials
import NIOCore
import Testing

@testable import BridgeOAuth

@Suite("Requests for tokens") struct TokenRequestTests {
    private func ways(
        _ client: ClientRegistration, listed: String? = nil, _ settings: OAuthSettings = Fixture.settings()
    ) throws -> [OAuthSettings.ClientMethod] {
        let more = listed.map { #","token_endpoint_auth_methods_supported":[\#($0)]"# } ?? ""
        let metadata = try Fixture.metadata(Fixture.issuer, more)
        return ClientAuthentication.ways(client, metadata, settings).filter { !$0.isRaw }.map(\.method)
    }

    @Test func `the registration's word comes first, then the configuration's, then the server's list`() throws {
        let secret = Fixture.client { $0.secret = Secret("s") }
        let post = Fixture.client {
            $0.secret = Secret("s")
            $0.method = .post
        }
        #expect(try self.ways(post, listed: #""client_secret_basic""#).first == .post)
        #expect(try self.ways(secret, listed: #""client_secret_post","client_secret_basic""#).first == .post)
        #expect(try self.ways(secret, Fixture.settings { $0.tokenEndpointMethod = .post }).first == .post)
        // Without a list it is Basic, as there is a secret.
        #expect(try self.ways(secret).first == .basic)
    }

    @Test func `a client without a secret says its id alone, whatever the list has`() throws {
        #expect(try self.ways(Fixture.client()) == [.none])
        #expect(try self.ways(Fixture.client(), listed: #""client_secret_basic""#) == [.none])
    }

    @Test func `a secret that came unasked is there when none is refused`() throws {
        let client = Fixture.client {
            $0.secret = Secret("s")
            $0.method = OAuthSettings.ClientMethod.none
        }
        let ways = try self.ways(client, listed: #""none""#)
        #expect(ways.first == OAuthSettings.ClientMethod.none && ways.contains(.post) && ways.contains(.basic))
    }

    @Test func `Basic is form-encoded first, raw second where that differs, and the body has no id then`() throws {
        let client = Fixture.client {
            $0.id = "a:b"
            $0.secret = Secret("s+%")
        }
        let ways = ClientAuthentication.ways(client, try Fixture.metadata(), Fixture.settings())
        let headers = ways.filter { $0.method == .basic }.map { way in
            TokenRequest(grant: .refresh(Secret("r")), client: client, authentication: way).request(to: "https://t")
                .header("Authorization").flatMap { Data(base64Encoded: String($0.dropFirst(6))) }
                .map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(headers == ["a%3Ab:s%2B%25", "a:b:s+%"])
        let request = TokenRequest(grant: .refresh(Secret("r")), client: client, authentication: ways[0]).request(
            to: "https://t")
        #expect(request.form["client_id"] == nil && request.form["client_secret"] == nil)
        let plain = Fixture.client { $0.secret = Secret("s") }
        #expect(!ClientAuthentication.ways(plain, try Fixture.metadata(), Fixture.settings()).contains { $0.isRaw })
    }

    @Test func `the same resource goes with each kind of request`() {
        let grants: [TokenRequest.Grant] = [
            .code(Secret("c"), redirect: "r", verifier: Secret("v")), .refresh(Secret("t")), .device(Secret("d")),
            .clientCredentials,
        ]
        for grant in grants {
            let request = TokenRequest(
                grant: grant, client: Fixture.client(), authentication: ClientAuthentication(method: .none), scope: "a",
                resource: "urn:r", extra: ["audience": "x", "prompt": "login", "grant_type": "evil"]
            ).request(to: "https://t")
            #expect(
                request.form["resource"] == "urn:r" && request.form["audience"] == "x" && request.form["prompt"] == nil)
            #expect(request.form.all.filter { $0.name == "grant_type" }.count == 1)
            #expect(request.header("Content-Type") == "application/x-www-form-urlencoded")
            #expect(request.header("Accept") == "application/json" && request.header("MCP-Protocol-Version") == nil)
            #expect(request.limit == 30 && request.maximumBody == 1 << 20)
        }
    }

    // MARK: What comes

    private func tokens(_ body: String, _ status: Int = 200, _ headers: [String: String] = [:]) -> IssuedTokens? {
        guard case .reply(let reply) = Fixture.reply(status, body, headers) else { return nil }
        return IssuedTokens(reply, now: Fixture.now.wall)
    }

    @Test(
        arguments: [
            ("3600", 3_600), ("3599.5", 3_599.5), (#""3600""#, 3_600), (#""3600abc""#, nil), ("-1", nil), ("true", nil),
            ("0", nil), (#""0""#, nil), ("999999999999", nil), ("null", nil), ("[]", nil),
        ] as [(String, Double?)]) func `a life is a number or digits, and nothing else`(text: String, life: Double?)
    {
        #expect(self.tokens(#"{"access_token":"t","expires_in":\#(text)}"#)?.life == life)
    }

    @Test func `without a life, a JWT's own end counts, or expires_on, else nobody knows`() {
        let claims = Data(#"{"exp":1800000900}"#.utf8).base64EncodedString().replacing("=", with: "")
        #expect(self.tokens(#"{"access_token":"e30.\#(claims).x"}"#)?.life == 900)
        #expect(self.tokens(#"{"access_token":"t","expires_on":"1800000060"}"#)?.life == 60)
        let opaque = self.tokens(#"{"access_token":"t"}"#)
        #expect(opaque != nil && opaque?.life == nil)
        // One that has ended by our clock is not refused: the clock may be wrong.
        let old = Data(#"{"exp":1}"#.utf8).base64EncodedString().replacing("=", with: "")
        #expect(self.tokens(#"{"access_token":"e30.\#(old).x"}"#)?.life == nil)
    }

    @Test func `a form is as good as JSON, and the content type says nothing`() {
        let form = self.tokens("access_token=gho_1&scope=repo%2Cgist&token_type=bearer&expires_in=60")
        #expect(form?.access == Secret("gho_1") && form?.scope == "repo,gist" && form?.life == 60)
        #expect(self.tokens(#"{"access_token":"t"}"#, 201, ["Content-Type": "text/html"]) != nil)
    }

    @Test func `Slack's user tokens lie deeper, and are of a type of their own`() {
        let text =
            #"{"ok":true,"authed_user":{"access_token":"xoxp","token_type":"user","refresh_token":"r","expires_in":9}}"#
        #expect(self.tokens(text)?.access == Secret("xoxp") && self.tokens(text)?.refresh == Secret("r"))
        #expect(self.tokens(#"{"ok":false,"error":"x","access_token":"t"}"#) == nil)
    }

    @Test(arguments: ["dpop", "MAC", "pop", "N_A"]) func `tokens that need more than being shown are not taken`(
        type: String
    ) {
        #expect(self.tokens(#"{"access_token":"t","token_type":"\#(type)"}"#) == nil)
    }

    @Test(arguments: ["", "a b", "a\\nb", "ä"]) func `a token that fits in no header is none`(token: String) {
        #expect(self.tokens(#"{"access_token":"\#(token)"}"#) == nil)
    }

    @Test func `a refresh token that does not come leaves the old one, and one that comes replaces it`() {
        let kept = Fixture.tokens().replaced(by: IssuedTokens(access: Secret("n")), now: 5)
        #expect(
            kept.refresh == Secret("rt-1") && kept.access == Secret("n") && kept.expires == nil && kept.granted == "a b"
        )
        let new = Fixture.tokens().replaced(
            by: IssuedTokens(access: Secret("n"), refresh: Secret("r"), life: 10), now: 5)
        #expect(new.refresh == Secret("r") && new.expires == 15)
    }

    @Test(
        arguments: [
            (#""refresh_expires_in":1800"#, 1_800), (#""refresh_token_expires_in":"15897600""#, 15_897_600),
            (#""refresh_expires_in":0"#, nil), (#""x":1"#, nil),
        ] as [(String, Double?)]) func `how long a refresh token lives is believed, and 0 says nothing`(
            member: String, life: Double?
        )
    {
        let issued = self.tokens(#"{"access_token":"a","refresh_token":"r",\#(member)}"#)
        #expect(issued?.refreshLife == life)
        let old = Fixture.tokens { $0.refreshExpires = 7 }
        #expect(issued.flatMap { old.replaced(by: $0, now: 5).refreshExpires } == life.map { 5 + $0 })
        #expect(old.replaced(by: IssuedTokens(access: Secret("n")), now: 5).refreshExpires == 7)
        #expect(TokenSet(old.json) == old)
    }
}
