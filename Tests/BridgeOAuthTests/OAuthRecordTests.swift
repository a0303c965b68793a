import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

@Suite("What is kept") struct OAuthRecordTests {
    private func read(_ text: String, _ upstream: String = "github", _ server: String = Fixture.server) throws
        -> OAuthRecord
    {
        try OAuthRecord(reading: ByteBuffer(string: text), upstream: upstream, server: server)
    }

    @Test func `all of it is read as it was written`() throws {
        var record = try Fixture.record {
            $0.registrations[0].secret = Secret("s")
            $0.registrations[0].method = .basic
            $0.authentication = ClientAuthentication(method: .basic, isRaw: true)
            $0.sendsNoResource = true
            $0.verdict = OAuthRecord.Verdict(phase: .signInNeeded, reason: "x", since: 5)
            $0.wantedScopes = ["a"]
            $0.stepUps = [OAuthRecord.StepUp(operation: "tools/call", at: 7)]
            $0.registrationTimes = [1, 2.5]
            $0.discovered?.challengedScope = "z"
        }
        record.add(
            SignInAttempt(
                state: "s", verifier: Secret("v"), redirect: "r", issuer: "i", scope: nil, resource: nil,
                began: Fixture.now.wall), now: Fixture.now.wall)
        #expect(try self.read(record.json.description) == record)
        let empty = OAuthRecord(upstream: "github", server: Fixture.server)
        #expect(try self.read(empty.json.description) == empty)
    }

    @Test func `another server's tokens are not used, and a later version's are left alone`() throws {
        let text = try Fixture.record().json.description
        #expect(throws: OAuthRecord.Flaw.self) { try self.read(text, "gitlab") }
        #expect(throws: OAuthRecord.Flaw.self) { try self.read(text, "github", "https://mcp.example/other") }
        #expect(throws: OAuthRecord.Flaw.later(2)) {
            try self.read(text.replacing(#""version":1"#, with: #""version":2"#))
        }
        for broken in ["", "{", "[]", "{}", String(text.prefix(100))] {
            #expect(throws: OAuthRecord.Flaw.self) { try self.read(broken) }
        }
    }

    @Test func `secrets are shown by no way of printing`() throws {
        let printed = "\(try Fixture.record { $0.registrations[0].secret = Secret("hush") })"
        #expect(!printed.contains("at-1") && !printed.contains("rt-1") && !printed.contains("hush"))
        var keeper = TokenKeeper(try Fixture.record(), settings: Fixture.settings(), now: Fixture.now, draw: 0)
        #expect(!keeper.report(Fixture.now).json.description.contains("abc"))
        _ = keeper.refused(generation: 1, Fixture.now)
        #expect(!"\(keeper)".contains("rt-1"))
    }

    @Test func `only the newest sign-ins wait, and none for longer than ten minutes`() throws {
        var record = try Fixture.record()
        for at in 0..<6 {
            let attempt = SignInAttempt(
                state: "\(at)", verifier: Secret("v"), redirect: "r", issuer: "i", scope: nil, resource: nil,
                began: Fixture.now.wall + Double(at))
            record.add(attempt, now: Fixture.now.wall + Double(at))
        }
        #expect(record.attempts.map(\.state) == ["2", "3", "4", "5"])
        let late = SignInAttempt(
            state: "x", verifier: Secret("v"), redirect: "r", issuer: "i", scope: nil, resource: nil,
            began: Fixture.now.wall + 700)
        record.add(late, now: Fixture.now.wall + 700)
        #expect(record.attempts.map(\.state) == ["x"])
    }

    private func begin(_ record: inout OAuthRecord, _ id: String, _ state: String?) throws {
        let client = Fixture.client { $0.id = id }
        let attempt = state.map {
            SignInAttempt(
                state: $0, verifier: Secret("v"), redirect: client.redirects[0], issuer: Fixture.issuer, clientID: id,
                scope: nil, resource: nil, began: Fixture.now.wall)
        }
        let change = RecordChange.beginning(try Fixture.found(), client, attempt, isNew: true)
        change.apply(to: &record, now: Fixture.now.wall)
    }

    @Test func `a sign-in that is begun with another client, and left, costs the tokens nothing`() throws {
        var record = try Fixture.record()
        try self.begin(&record, "other", "s")
        RecordChange.over(attempt: "s", isDoubtful: true).apply(to: &record, now: Fixture.now.wall)
        #expect(record.client?.id == "abc" && record.registrations.map(\.isDoubtful) == [false, true])
        #expect(RefreshVariants(record, Fixture.tokens(), Fixture.settings()).canAsk)
        for number in 0..<30 { try self.begin(&record, "\(number)", nil) }
        #expect(record.registrations.map(\.id) == ["abc", "29"])
        let choice = RegistrationChoice.make(
            try Fixture.found(), settings: Fixture.settings(), stored: record.registrations,
            redirect: record.registrations.last?.redirects.first, fresh: false, now: Fixture.now.wall)
        #expect(choice == .use(Fixture.client { $0.id = "29" }), "the newest")
        let change = RecordChange.signedIn(
            Fixture.tokens { $0.clientID = "29" }, ClientAuthentication(method: .none), attempt: nil,
            sendsNoResource: false)
        change.apply(to: &record, now: Fixture.now.wall)
        #expect(record.registrations.map(\.id) == ["29"])
    }

    @Test func `clients of sign-ins that wait are kept, and there is an end to clients`() throws {
        var record = try Fixture.record()
        for number in 0..<6 { try self.begin(&record, "\(number)", "s\(number)") }
        #expect(record.registrations.map(\.id) == ["abc", "2", "3", "4", "5"], "as many as wait")
        for number in 0..<30 {
            record.keep(
                Fixture.client {
                    $0.id = "x"
                    $0.issuer = "https://\(number).example"
                })
        }
        #expect(record.registrations.count == 12 && record.client?.id == "abc")
    }

    @Test func `saving tokens leaves the registration, and signing out leaves nothing`() throws {
        var record = try Fixture.record()
        let change = RecordChange.signedIn(
            Fixture.tokens(), ClientAuthentication(method: .none), attempt: nil, sendsNoResource: false)
        change.apply(to: &record, now: 0)
        #expect(record.registrations.count == 1 && record.generation == 2)
        RecordChange.loggedOut.apply(to: &record, now: 0)
        #expect(record.tokens == nil && record.registrations.isEmpty && record.generation == 3)
    }

    @Test func `tokens are given back with the client's own credentials`() throws {
        let record = try Fixture.record { $0.registrations[0].secret = Secret("s") }
        let requests = record.revocations(Fixture.settings()).map { $0[0] }
        #expect(requests.map { $0.form["token"] } == ["rt-1", "at-1"])
        #expect(requests.allSatisfy { $0.url == "https://as.example/revoke" && $0.header("Authorization") != nil })
        #expect(try Fixture.record { $0.tokens = nil }.revocations(Fixture.settings()).isEmpty)
    }

    @Test func `tokens are given back in each way that there is, the one that was of use first`() throws {
        let secret = try Fixture.record {
            $0.registrations[0].secret = Secret("s")
            $0.authentication = ClientAuthentication(method: .post)
        }
        let ways = try #require(secret.revocations(Fixture.settings()).first)
        #expect(ways.map { $0.form["client_secret"] } == ["s", nil])
        #expect(ways.map { $0.header("Authorization") != nil } == [false, true])
        // Of a client without a secret: as it should be, and then with an empty one, which some servers wait for.
        let record = try Fixture.record()
        let open = try #require(record.revocations(Fixture.settings()).first)
        #expect(
            open.map { $0.form["client_secret"] } == [nil, ""] && open.allSatisfy { $0.form["client_id"] == "abc" })
    }

    @Test func `a kept answer is whole or none`() throws {
        guard case .reply(let reply) = Fixture.good else { return }
        let kept = KeptAnswer(generation: 3, reply: reply, came: 9)
        let text = kept.json.description
        #expect(KeptAnswer(ByteBuffer(string: text)) == kept)
        for length in [0, 10, text.utf8.count - 1] {
            #expect(KeptAnswer(ByteBuffer(string: String(text.prefix(length)))) == nil)
        }
        let shorter = text.replacing(#""length":\#(reply.body.readableBytes)"#, with: #""length":1"#)
        #expect(KeptAnswer(ByteBuffer(string: shorter)) == nil)
        let intent = RefreshIntent(generation: 3, began: 1.5)
        #expect(RefreshIntent(intent.json.bytes) == intent && RefreshIntent(ByteBuffer(string: "{}")) == nil)
    }

    // MARK: The state of mcp-bridge for Node (B33)

    private static let older = #"""
        {"clientInformation":{"client_id":"old","client_secret":"s","redirect_uris":["http://127.0.0.1:8770/callback"]},
         "tokens":{"access_token":"at","refresh_token":"rt","expires_in":3600,"scope":"overseer.all","token_type":"bearer"},
         "codeVerifier":"v","lastSavedAt":"2027-01-15T07:30:00.000Z",
         "discoveryState":{"authorizationServerUrl":"https://as.example",
          "resourceMetadata":{"resource":"https://mcp.example/mcp","authorization_servers":["https://as.example"]},
          "authorizationServerMetadata":{"issuer":"https://as.example","token_endpoint":"https://as.example/token",
           "authorization_endpoint":"https://as.example/authorize"}}}
        """#

    private func older(_ text: String, _ server: String = Fixture.server) -> OAuthRecord? {
        OlderState.read(ByteBuffer(string: text), upstream: "github", server: server, redirects: [])
    }

    @Test func `B33: an older state is taken over, its life counted from when it was saved`() throws {
        let record = try #require(self.older(Self.older))
        #expect(record.tokens?.refresh == Secret("rt") && record.tokens?.issuer == Fixture.issuer)
        #expect(record.tokens?.expires == 1_800_001_800.0)
        #expect(record.client?.id == "old" && record.client?.secret == Secret("s"))
        #expect(record.discovered?.metadata.tokenEndpoint == "https://as.example/token")
        #expect(RefreshVariants(record, try #require(record.tokens), Fixture.settings()).canAsk)
    }

    @Test func `B33: an older state of another server, or without a client, is not`() {
        #expect(self.older(Self.older, "https://other.example/mcp") == nil)
        #expect(self.older("{}") == nil && self.older("not JSON") == nil)
    }

    @Test func `B33: one that names no issuer is stamped with the first that is found out`() throws {
        let bare = #"{"clientInformation":{"client_id":"old"},"tokens":{"access_token":"at","refresh_token":"rt"}}"#
        let record = try #require(self.older(bare))
        var keeper = TokenKeeper(record, settings: Fixture.settings(), now: Fixture.now, draw: 0)
        let (refusal, action) = keeper.refused(generation: 1, Fixture.now)
        #expect(refusal == .wait && action == .refresh(generation: 1))
        #expect(keeper.flew(.adopted(record), now: Fixture.now, draw: 0) == .rediscover)
        let found = try Fixture.found()
        let keep = keeper.rediscovered(.success(found), now: Fixture.now, draw: 0)
        guard case .keep(let change) = keep else { return #expect(Bool(false)) }
        var stamped = record
        change.apply(to: &stamped, now: 0)
        #expect(stamped.tokens?.issuer == Fixture.issuer && stamped.registrations[0].issuer == Fixture.issuer)
    }
}
