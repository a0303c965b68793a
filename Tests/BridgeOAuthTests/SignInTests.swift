import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

@Suite("Signing in") struct SignInTests {
    private static let state = SignInState.make(random: "random", upstream: "github")
    private static let back = "code=c&state=\(SignInTests.state)"

    private func words(_ action: SignIn.Action?) -> String {
        switch action {
        case .failed(let words), .done(let words): words
        default: ""
        }
    }

    @Test func `from nothing to tokens: asked, registered, kept, opened, exchanged`() throws {
        var scene = Scene()
        let invitation = try scene.invited()
        let fields = FormFields(redirect: invitation.url)
        #expect(fields["client_id"] == "made" && fields["state"] == Self.state && fields["scope"] == "a")
        #expect(fields["resource"] == Fixture.server && invitation.issuer == Fixture.issuer)
        // What the redirect needs is on the disk before anybody opens the page.
        #expect(scene.record.attempts.map(\.state) == [Self.state] && scene.record.registrations.map(\.id) == ["made"])
        guard case .done(let words) = scene.come(back: Self.back) else { return #expect(Bool(false)) }
        #expect(words.contains(Fixture.issuer))
        let form = try #require(scene.asked.last?.form)
        #expect(form["code"] == "c" && form["code_verifier"] == "verifier" && form["client_id"] == "made")
        #expect(form["redirect_uri"] == fields["redirect_uri"] && form["resource"] == Fixture.server)
        #expect(scene.record.tokens?.access == Secret("at-2") && scene.record.generation == 1)
        #expect(scene.record.attempts.isEmpty && scene.record.tokens?.asked == "a")
    }

    @Test func `an issuer without PKCE is refused before anybody is registered`() {
        var scene = Scene()
        let text = Fixture.metadataText().replacing(#","code_challenge_methods_supported":["S256"]"#, with: "")
        scene.pages["https://as.example/.well-known/oauth-authorization-server"] = [Fixture.reply(200, text)]
        #expect(self.words(scene.begin()).contains("code_challenge_methods_supported"))
        #expect(!scene.asked.contains { $0.url.hasSuffix("/register") } && scene.kept.isEmpty)
    }

    @Test func `nothing is opened where what it needs cannot be kept`() {
        var scene = Scene()
        scene.diskTrouble = "no space left"
        #expect(self.words(scene.begin()).contains("no space left"))
    }

    @Test func `tokens that cannot be kept are had all the same, and it is said`() throws {
        var scene = Scene()
        _ = try scene.invited()
        scene.diskTrouble = "no space left"
        guard case .done(let words)? = scene.come(back: Self.back) else { return #expect(Bool(false)) }
        #expect(words.contains("in memory only"))
    }

    @Test func `another authorization server than the one that is known is told of, but for the configured one`() throws
    {
        func before(_ change: (inout OAuthRecord) -> Void, issuer: String? = nil) throws -> String? {
            var scene = Scene(
                .browser(redirect: "http://127.0.0.1:8770/callback"), Fixture.settings { $0.issuer = issuer },
                record: try Fixture.record(change))
            return try scene.invited().before
        }
        var fresh = Scene()
        #expect(try fresh.invited().before == nil, "nobody is known yet")
        #expect(try before { _ in } == nil)
        let other: (inout OAuthRecord) -> Void = { $0.tokens?.issuer = "https://old.example" }
        #expect(try before(other) == "https://old.example")
        #expect(try before(other, issuer: Fixture.issuer) == nil)
        // Nor is it forgotten by who signs out.
        let out: (inout OAuthRecord) -> Void = { record in
            other(&record)
            RecordChange.loggedOut.apply(to: &record, now: 0)
        }
        #expect(try before(out) == "https://old.example")
    }

    @Test func `the server's own client is registered once, and again when it is asked for afresh`() throws {
        var scene = Scene()
        _ = try scene.invited()
        var again = Scene(record: scene.record)
        _ = try again.invited()
        #expect(!again.asked.contains { $0.url.hasSuffix("/register") })
        var fresh = Scene(record: scene.record, fresh: true)
        _ = try fresh.invited()
        #expect(fresh.asked.contains { $0.url.hasSuffix("/register") })
    }

    @Test func `registration happens five times a day at most`() {
        var record = OAuthRecord(upstream: "github", server: Fixture.server)
        record.registrationTimes = (1...5).map { Fixture.now.wall - Double($0) * 60 }
        var scene = Scene(record: record)
        #expect(self.words(scene.begin()).contains("5 times today"))
    }

    @Test func `a client that somebody's browser refuses is registered anew the next time`() throws {
        var scene = Scene()
        _ = try scene.invited()
        guard case .failed? = scene.come(back: "error=unauthorized_client&state=\(Self.state)") else {
            return #expect(Bool(false))
        }
        let failure = try #require(scene.signIn.failure)
        #expect(failure.isDoubtful && failure.attempt == Self.state)
        RecordChange.over(attempt: failure.attempt, isDoubtful: true).apply(to: &scene.record, now: scene.now.wall)
        #expect(scene.record.registrations[0].isDoubtful && scene.record.attempts.isEmpty)
    }

    @Test func `offline_access that is refused, though it is listed, is not asked for again`() throws {
        var scene = Scene(more: #","scopes_supported":["offline_access"]"#)
        #expect(FormFields(redirect: try scene.invited().url)["scope"] == "a offline_access")
        _ = scene.come(back: "error=invalid_scope&state=\(Self.state)")
        #expect(scene.signIn.offlineWasRefused)
        RecordChange.offlineRefused.apply(to: &scene.record, now: 0)
        var again = Scene(record: scene.record, more: #","scopes_supported":["offline_access"]"#)
        #expect(FormFields(redirect: try again.invited().url)["scope"] == "a")
    }

    @Test func `a code whose client is refused is shown in each other way`() throws {
        var scene = Scene()
        scene.pages["https://as.example/register"] = [
            Fixture.reply(
                201, #"{"client_id":"made","client_secret":"s","token_endpoint_auth_method":"client_secret_post"}"#)
        ]
        scene.pages["https://as.example/token"] = [Fixture.reply(401, #"{"error":"invalid_client"}"#), Fixture.good]
        _ = try scene.invited()
        guard case .done? = scene.come(back: Self.back) else { return #expect(Bool(false)) }
        #expect(scene.asked.last?.header("Authorization")?.hasPrefix("Basic ") == true)
    }

    @Test func `a resource that the token endpoint refuses is left out, and that is remembered`() throws {
        var scene = Scene()
        scene.pages["https://as.example/token"] = [Fixture.reply(400, #"{"error":"invalid_target"}"#), Fixture.good]
        _ = try scene.invited()
        guard case .done? = scene.come(back: Self.back) else { return #expect(Bool(false)) }
        #expect(scene.asked.last?.form["resource"] == nil && scene.record.sendsNoResource)
    }

    @Test func `without a refresh token it is said when somebody is needed again`() throws {
        var scene = Scene()
        scene.pages["https://as.example/token"] = [Fixture.reply(200, #"{"access_token":"t","expires_in":60}"#)]
        _ = try scene.invited()
        #expect(self.words(scene.come(back: Self.back)).contains("need you again at 2027-01-15T08:01:00Z"))
    }

    @Test func `rights that a call lacked are asked for`() throws {
        let record = try Fixture.record { $0.wantedScopes = ["a", "write"] }
        var scene = Scene(record: record)
        #expect(FormFields(redirect: try scene.invited().url)["scope"] == "a write")
    }

    @Test func `a configured client's secret is sent and not kept`() throws {
        let settings = Fixture.settings {
            $0.clientID = "mine"
            $0.clientSecret = Secret("very-secret")
        }
        var scene = Scene(.browser(redirect: "http://127.0.0.1:8770/callback"), settings)
        _ = try scene.invited()
        guard case .done? = scene.come(back: Self.back) else { return #expect(Bool(false)) }
        #expect(scene.asked.last?.header("Authorization") != nil)
        #expect(!scene.record.json.description.contains("very-secret"))
    }

    // MARK: By a code

    private func device(_ answers: [WebAnswer]) -> Scene {
        var scene = Scene(.device, more: #","device_authorization_endpoint":"https://as.example/device""#)
        scene.pages["https://as.example/device"] = [
            Fixture.reply(
                200,
                #"{"device_code":"d","user_code":"AB-CD","verification_uri":"https://as.example/go","expires_in":60,"interval":2}"#
            )
        ]
        scene.pages["https://as.example/token"] = answers
        return scene
    }

    @Test func `a code is typed in elsewhere, and asked for as slowly as the server wants`() {
        var scene = self.device([
            Fixture.reply(400, #"{"error":"authorization_pending"}"#), Fixture.reply(400, #"{"error":"slow_down"}"#),
            Fixture.reply(500), Fixture.good,
        ])
        guard case .invite(let invitation, again: 2) = scene.begin() else { return #expect(Bool(false)) }
        #expect(invitation.code == "AB-CD" && invitation.url == "https://as.example/go")
        for wait in [2.0, 7, 14] {
            let next = scene.run(scene.signIn.waited(now: scene.now))
            #expect(next == .wait(wait))
        }
        guard case .done = scene.run(scene.signIn.waited(now: scene.now)) else { return #expect(Bool(false)) }
        #expect(scene.asked.last?.form["device_code"] == "d" && scene.record.tokens != nil)
    }

    @Test func `a code goes on when its resource is refused`() {
        var scene = self.device([
            Fixture.reply(400, #"{"error":"invalid_target"}"#),
            Fixture.reply(400, #"{"error":"authorization_pending"}"#),
            Fixture.good,
        ])
        _ = scene.begin()
        for _ in 0..<2 {
            let next = scene.run(scene.signIn.waited(now: scene.now))
            #expect(next == .wait(2))
        }
        guard case .done = scene.run(scene.signIn.waited(now: scene.now)) else { return #expect(Bool(false)) }
        #expect(scene.asked.last?.form["resource"] == nil && scene.record.sendsNoResource)
    }

    @Test(arguments: ["expired_token", "access_denied"]) func `a code ends`(code: String) {
        var scene = self.device([Fixture.reply(400, #"{"error":"\#(code)"}"#)])
        _ = scene.begin()
        guard case .failed = scene.run(scene.signIn.waited(now: scene.now)) else { return #expect(Bool(false)) }
        var late = self.device([])
        _ = late.begin()
        late.now = late.now.adding(61)
        guard case .failed = late.signIn.waited(now: late.now) else { return #expect(Bool(false)) }
    }

    @Test func `a server without such a sign-in says so`() {
        var scene = Scene(.device)
        #expect(self.words(scene.begin()).contains("device_authorization_endpoint"))
    }

    // MARK: By nobody

    @Test func `a client that needs nobody has its tokens at once`() throws {
        let settings = Fixture.settings {
            $0.grant = .clientCredentials
            $0.clientID = "mine"
            $0.clientSecret = Secret("s")
        }
        var scene = Scene(.client, settings)
        scene.pages["https://as.example/token"] = [Fixture.reply(200, #"{"access_token":"t","expires_in":60}"#)]
        guard case .done = scene.begin() else { return #expect(Bool(false)) }
        #expect(scene.asked.last?.form["grant_type"] == "client_credentials" && scene.record.tokens?.refresh == nil)
        let keeper = TokenKeeper(scene.record, settings: settings, now: scene.now, draw: 0)
        #expect(keeper.isRenewable && keeper.report(scene.now).phase == .ok)
    }
}
