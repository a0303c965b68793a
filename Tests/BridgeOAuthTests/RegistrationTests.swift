import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

@Suite("Registration") struct RegistrationTests {
    private func choose(
        _ settings: OAuthSettings = Fixture.settings(), _ more: String = "", stored: [ClientRegistration] = [],
        redirect: String? = nil, fresh: Bool = false
    ) throws -> RegistrationChoice {
        RegistrationChoice.make(
            try Fixture.found(more), settings: settings, stored: stored, redirect: redirect, fresh: fresh,
            now: Fixture.now.wall)
    }

    @Test func `a configured client comes first, and is shown to its own issuer alone`() throws {
        let settings = Fixture.settings {
            $0.clientID = "mine"
            $0.clientSecret = Secret("s")
        }
        guard case .use(let client) = try self.choose(settings, stored: [Fixture.client()]) else {
            return #expect(Bool(false))
        }
        #expect(client.kind == .configured && client.id == "mine" && client.secret == Secret("s"))
        var bound = settings
        bound.issuer = "https://other.example"
        guard case .impossible(let words) = try self.choose(bound) else { return #expect(Bool(false)) }
        #expect(words.contains("https://other.example") && words.contains(Fixture.issuer))
        let before = ClientRegistration(
            .configured, issuer: "https://old.example", id: "mine", redirects: [], registered: 0)
        guard case .impossible = try self.choose(settings, stored: [before]) else { return #expect(Bool(false)) }
    }

    @Test func `a metadata document is used where the server takes it and we have one`() throws {
        let settings = Fixture.settings { $0.clientMetadataURL = "https://bridge.example/client.json" }
        let takes = #","client_id_metadata_document_supported":true"#
        guard case .use(let client) = try self.choose(settings, takes) else { return #expect(Bool(false)) }
        #expect(client.kind == .metadataDocument && client.id == "https://bridge.example/client.json")
        #expect(try self.choose(settings) == .register("https://as.example/register"))
        #expect(try self.choose(Fixture.settings(), takes) == .register("https://as.example/register"))
    }

    @Test
    func `one registration is used again, unless it is another issuer's, expired, doubtful, or of other redirects`()
        throws
    {
        let again = "https://as.example/register"
        let redirect = "http://127.0.0.1:8770/callback"
        #expect(try self.choose(stored: [Fixture.client()], redirect: redirect) == .use(Fixture.client()))
        #expect(try self.choose(stored: [Fixture.client()], redirect: redirect, fresh: true) == .register(again))
        for change in [
            { $0.issuer = "https://x.example" }, { $0.isDoubtful = true },
            {
                $0.secret = Secret("s")
                $0.secretExpires = Fixture.now.wall - 1
            }, { $0.redirects = ["http://127.0.0.1:9999/callback"] },
        ] as [(inout ClientRegistration) -> Void] {
            let stored = [Fixture.client(change)]
            #expect(try self.choose(stored: stored, redirect: redirect) == .register(again))
        }
    }

    @Test func `a client for codes is none for browsers, and the other way round`() throws {
        let again = RegistrationChoice.register("https://as.example/register")
        let forCodes = Fixture.client { $0.redirects = [] }
        #expect(try self.choose(stored: [forCodes]) == .use(forCodes))
        #expect(try self.choose(stored: [Fixture.client()]) == again)
        #expect(try self.choose(stored: [forCodes], redirect: "http://127.0.0.1:8770/callback") == again)
    }

    @Test func `where no way is left, the redirect URIs to register by hand are told, and no client id is made up`()
        throws
    {
        let text = Fixture.metadataText().replacing(
            #""registration_endpoint":"https://as.example/register","#, with: "")
        let found = Discovered(resource: "r", metadata: try ServerMetadata(ByteBuffer(string: text)))
        let choice = RegistrationChoice.make(found, settings: Fixture.settings(), stored: [], fresh: false, now: 0)
        guard case .impossible(let words) = choice else { return #expect(Bool(false)) }
        #expect(words.contains("registered by hand") && words.contains("http://127.0.0.1:8770/callback"))
        guard case .impossible = try self.choose(Fixture.settings { $0.clientID = "" }) else {
            return #expect(Bool(false))
        }
    }

    // MARK: The request

    private func registration(_ settings: OAuthSettings = Fixture.settings()) -> DynamicRegistration {
        DynamicRegistration(
            "https://as.example/register", issuer: Fixture.issuer, settings: settings, scope: "a", version: "1.0")
    }

    private func body(_ step: DynamicRegistration.Step) throws -> JSONText {
        guard case .ask(let request) = step else { throw Missing() }
        return try JSONText(validating: ByteBuffer(string: request.body ?? ""))
    }

    private struct Missing: Error {}

    @Test func `both redirects are registered, natively, without a secret`() throws {
        let body = try self.body(self.registration().begin())
        #expect(body.strings("redirect_uris") == Fixture.settings().redirects)
        #expect(body.string("application_type") == "native" && body.string("token_endpoint_auth_method") == "none")
        #expect(body.strings("grant_types") == ["authorization_code", "refresh_token"])
        #expect(body.string("scope") == "a" && body.string("client_name") == "MCP Bridge")
    }

    @Test(arguments: [200, 201]) func `200 and 201 are both good, and a secret that nobody asked for is kept`(
        status: Int
    ) {
        var registration = self.registration()
        let answer = Fixture.reply(
            status,
            #"{"client_id":"x","client_secret":"s","client_secret_expires_at":0,"token_endpoint_auth_method":"client_secret_post"}"#
        )
        guard case .registered(let client) = registration.answered(answer, now: Fixture.now) else {
            return #expect(Bool(false))
        }
        #expect(client.secret == Secret("s") && client.secretExpires == nil && client.method == .post)
        #expect(!client.isExpired(at: Fixture.now.wall + 1e9))
    }

    @Test func `one refused redirect does not sink the set`() throws {
        var registration = self.registration()
        let no = Fixture.reply(400, #"{"error":"invalid_redirect_uri"}"#)
        let second = try self.body(registration.answered(no, now: Fixture.now))
        #expect(second.strings("redirect_uris") == ["http://127.0.0.1:8770/callback"])
        let third = try self.body(registration.answered(no, now: Fixture.now))
        #expect(third.string("application_type") == "web")
        #expect(third.strings("redirect_uris") == ["https://bridge.example/oauth/callback"])
        guard case .failed(.refused) = registration.answered(no, now: Fixture.now) else { return #expect(Bool(false)) }
    }

    @Test func `metadata that is refused is cut once`() throws {
        var registration = self.registration()
        let no = Fixture.reply(400, #"{"error":"invalid_client_metadata"}"#)
        let second = try self.body(registration.answered(no, now: Fixture.now))
        #expect(
            second.member("application_type") == nil && second.member("scope") == nil
                && second.member("software_id") == nil)
        guard case .failed(.refused) = registration.answered(no, now: Fixture.now) else { return #expect(Bool(false)) }
    }

    @Test func `a client for codes asks for their grant, at last for no other, and is used for nothing else`() throws {
        let code = "urn:ietf:params:oauth:grant-type:device_code"
        var registration = DynamicRegistration(
            "https://as.example/register", issuer: Fixture.issuer, settings: Fixture.settings(), scope: "a",
            version: "1.0", isByCode: true)
        let first = try self.body(registration.begin())
        #expect(first.strings("grant_types") == ["authorization_code", "refresh_token", code])
        #expect(first.strings("response_types") == ["code"])
        let no = Fixture.reply(400, #"{"error":"invalid_client_metadata"}"#)
        let second = try self.body(registration.answered(no, now: Fixture.now))
        #expect(second.member("scope") == nil && second.strings("grant_types") == first.strings("grant_types"))
        let third = try self.body(registration.answered(no, now: Fixture.now))
        #expect(third.strings("grant_types") == [code, "refresh_token"] && third.strings("response_types") == [])
        var refused = registration
        guard case .failed(.refused) = refused.answered(no, now: Fixture.now),
            case .registered(let client) = registration.answered(
                Fixture.reply(201, #"{"client_id":"x"}"#), now: Fixture.now)
        else { return #expect(Bool(false)) }
        #expect(client.redirects == [])
    }

    @Test(arguments: [401, 403]) func `a server that knows its clients by name is told apart`(status: Int) {
        var registration = self.registration()
        let step = registration.answered(Fixture.reply(status, "Forbidden"), now: Fixture.now)
        guard case .failed(.refused(let words)) = step else { return #expect(Bool(false)) }
        #expect(words.contains("by name") && words.contains("Forbidden") && words.contains("oauth.clientName"))
    }

    @Test(arguments: [429, 500, 503]) func `trouble is no refusal`(status: Int) {
        var registration = self.registration()
        let step = registration.answered(Fixture.reply(status, "", ["Retry-After": "9"]), now: Fixture.now)
        guard case .failed(.transient(_, retryAfter: 9)) = step else { return #expect(Bool(false)) }
    }

    @Test func `a secret that has expired already is asked for under another name, once`() throws {
        var registration = self.registration()
        let old = Fixture.reply(201, #"{"client_id":"x","client_secret":"s","client_secret_expires_at":1700000000}"#)
        let second = try self.body(registration.answered(old, now: Fixture.now))
        #expect(second.string("client_name") == "MCP Bridge 2")
        guard case .failed(.refused) = registration.answered(old, now: Fixture.now) else { return #expect(Bool(false)) }
    }

    @Test func `an answer without a client id registers nothing`() {
        var registration = self.registration()
        guard case .failed = registration.answered(Fixture.reply(201, #"{"client_id":""}"#), now: Fixture.now)
        else { return #expect(Bool(false)) }
    }
}
