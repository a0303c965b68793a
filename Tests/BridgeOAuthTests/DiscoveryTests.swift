import BridgeConfiguration
import BridgeCore
import NIOCore
import Testing

@testable import BridgeOAuth

/// A machine with the answers of a few servers.
struct Trip {
    var pages: [String: WebAnswer]
    var asked: [WebRequest] = []

    mutating func run(_ discovery: inout Discovery) -> Discovery.Step {
        var step = discovery.begin()
        while case .ask(let request) = step {
            self.asked.append(request)
            guard self.asked.count < 20 else { return step }
            step = discovery.answered(self.pages[request.url] ?? Fixture.reply(404), now: Fixture.now)
        }
        return step
    }

    var urls: [String] { self.asked.map(\.url) }
}

@Suite("Discovery") struct DiscoveryTests {
    static let prm = "https://mcp.example/.well-known/oauth-protected-resource"
    static let inserted = "https://as.example/.well-known/oauth-authorization-server"
    private static let openID = "https://as.example/.well-known/openid-configuration"

    static func resource(_ resource: String = Fixture.server, _ issuers: String = #""https://as.example""#)
        -> WebAnswer
    {
        Fixture.reply(
            200, #"{"resource":"\#(resource)","authorization_servers":[\#(issuers)],"scopes_supported":["a"]}"#)
    }

    func look(
        _ pages: [String: WebAnswer], _ server: String = Fixture.server, challenge: BearerChallenge? = nil,
        isChallenged: Bool = true, bound: String? = nil, settings: OAuthSettings = Fixture.settings()
    ) throws -> (step: Discovery.Step, urls: [String]) {
        var discovery = try #require(
            Discovery(server, settings: settings, challenge: challenge, isChallenged: isChallenged, bound: bound))
        var trip = Trip(pages: pages)
        let step = trip.run(&discovery)
        return (step, trip.urls)
    }

    func found(_ step: Discovery.Step) -> Discovered? {
        if case .found(let found) = step { found } else { nil }
    }
    func words(_ step: Discovery.Step) -> String {
        if case .failed(let failure) = step { failure.words } else { "" }
    }

    @Test func `D1: all challenges of all lines are read, and the bearer's is used`() {
        let challenge = BearerChallenge([
            #"Basic realm="x, Bearer y=\"z\"""#,
            #"Negotiate abc=, bEaReR realm="r", scope="a b",resource_metadata=https://m.example/x"#,
        ])
        #expect(challenge?.resourceMetadata == "https://m.example/x")
        #expect(challenge?.scope == "a b")
        #expect(BearerChallenge([#"Basic realm="x""#]) == nil)
        #expect(BearerChallenge(["Bearer"]) == BearerChallenge())
        #expect(
            BearerChallenge([#"Bearer error = "invalid_token" , error_description="it\"s over""#])?.errorDescription
                == #"it"s over"#)
        #expect(BearerChallenge([#"Bearer a="unclosed"#]) != nil)
    }

    @Test func `D2: metadata that the challenge names is asked first, from wherever it is, over https`() throws {
        let named = BearerChallenge(resourceMetadata: "https://meta.example/prm")
        let pages = [
            "https://meta.example/prm": Self.resource(), Self.inserted: Fixture.reply(200, Fixture.metadataText()),
        ]
        let (step, urls) = try self.look(pages, challenge: named)
        #expect(urls.first == "https://meta.example/prm")
        #expect(self.found(step)?.notes.first?.contains("another server") == true)
        for bad in ["http://meta.example/prm", "/prm", "javascript:alert(1)", "http://127.0.0.1/prm"] {
            let (_, urls) = try self.look(pages, challenge: BearerChallenge(resourceMetadata: bad))
            #expect(urls.first == Self.prm + "/mcp")
        }
    }

    @Test func `D3: then by the server's path and query, then at the root`() throws {
        let (_, urls) = try self.look([:], "https://mcp.example/mcp?names=safe")
        #expect(Array(urls.prefix(2)) == [Self.prm + "/mcp?names=safe", Self.prm])
        let (root, _) = try self.look([
            Self.prm + "/mcp": Fixture.reply(200, "<html>"), Self.prm: Self.resource(),
            Self.inserted: Fixture.reply(200, Fixture.metadataText()),
        ])
        #expect(self.found(root)?.resourceScopes == ["a"])
    }

    @Test(arguments: [500, 502, 503, 429]) func `D3: trouble is not taken for nothing there`(status: Int) throws {
        let (step, urls) = try self.look([Self.prm + "/mcp": Fixture.reply(status, "", ["Retry-After": "70"])])
        #expect(step == .failed(.transient("\(Self.prm)/mcp: status \(status)", retryAfter: 70)))
        #expect(urls.count == 1)
        let (lost, _) = try self.look([Self.prm + "/mcp": .failed("timeout", sent: true)])
        #expect(lost == .failed(.transient("\(Self.prm)/mcp: timeout", retryAfter: nil)))
    }

    @Test func `D4: metadata of another resource is refused with both names, unless the configuration knows better`()
        throws
    {
        for other in ["https://mcp.example/other", "https://evil.example/mcp", "https://mcp.example/mc"] {
            let pages = [
                Self.prm + "/mcp": Self.resource(other), Self.inserted: Fixture.reply(200, Fixture.metadataText()),
            ]
            let (step, _) = try self.look(pages)
            #expect(self.words(step).contains(other) && self.words(step).contains(Fixture.server))
            let (known, _) = try self.look(pages, settings: Fixture.settings { $0.resource = .uri("urn:x") })
            #expect(self.found(known) != nil)
        }
        for above in ["https://mcp.example", "https://mcp.example/", "https://mcp.example/mcp/"] {
            let (step, _) = try self.look([
                Self.prm + "/mcp": Self.resource(above), Self.inserted: Fixture.reply(200, Fixture.metadataText()),
            ])
            #expect(self.found(step)?.resource == above)
        }
    }

    @Test
    func
        `D5: of several issuers the first with good metadata, and the one that there are tokens of as long as it is named`()
        throws
    {
        let two = #""https://bad.example","https://as.example""#
        let pages = [
            Self.prm + "/mcp": Self.resource(Fixture.server, two),
            Self.inserted: Fixture.reply(200, Fixture.metadataText()),
        ]
        let (step, urls) = try self.look(pages)
        #expect(self.found(step)?.metadata.issuer == Fixture.issuer)
        #expect(urls.contains("https://bad.example/.well-known/oauth-authorization-server"))
        let (bound, direct) = try self.look(pages, bound: Fixture.issuer)
        #expect(self.found(bound) != nil && !direct.contains { $0.hasPrefix("https://bad.example") })
    }

    @Test func `D6 and D7: an issuer's metadata is looked for in its three forms, or in two`() throws {
        for (issuer, tail) in [("https://as.example/t/1", "/t/1"), ("https://as.example/t/1/", "/t/1")] {
            let (_, urls) = try self.look([Self.prm + "/mcp": Self.resource(Fixture.server, "\"\(issuer)\"")])
            let forms = [
                Self.inserted + tail, Self.openID + tail, "https://as.example\(tail)/.well-known/openid-configuration",
            ]
            #expect(Array(urls[1..<4]) == forms)
        }
        let (step, urls) = try self.look([
            Self.prm + "/mcp": Self.resource(), Self.openID: Fixture.reply(200, Fixture.metadataText()),
        ])
        #expect(self.found(step) != nil && urls.suffix(2) == [Self.inserted, Self.openID])
    }

    @Test func `D7: a server without resource metadata is its own authorization server`() throws {
        let text = Fixture.metadataText("https://mcp.example")
        let (step, _) = try self.look(["https://mcp.example/.well-known/openid-configuration": Fixture.reply(200, text)]
        )
        #expect(self.found(step)?.metadata.issuer == "https://mcp.example")
        #expect(self.found(step)?.resource == Fixture.server)
    }

    @Test(arguments: [
        ("https://as.example", "https://as.example/", true), ("https://as.example/", "https://as.example", true),
        ("https://as.example/a", "https://as.example/a/", false), ("https://as.example", "https://AS.example", false),
        ("https://as.example", "https://other.example", false), ("https://as.example/a", "https://as.example", false),
    ]) func `D8: an issuer is compared byte for byte, but for a lone root slash`(
        named: String, says: String, isGood: Bool
    ) throws {
        #expect(try Fixture.metadata(says).isOf(named) == isGood)
        let (step, _) = try self.look([
            Self.prm + "/mcp": Self.resource(Fixture.server, "\"\(named)\""),
            Self.inserted: Fixture.reply(200, Fixture.metadataText(says)),
            Self.inserted + "/a": Fixture.reply(200, Fixture.metadataText(says)),
        ])
        #expect((self.found(step) != nil) == isGood)
    }

    @Test func `D9: without any metadata the old paths are tried, only of a server that asked for a token`() throws {
        let (step, _) = try self.look([:])
        let found = try #require(self.found(step))
        #expect(found.isFallback && found.metadata.tokenEndpoint == "https://mcp.example/token")
        #expect(found.metadata.registrationEndpoint == "https://mcp.example/register")
        #expect(found.notes.contains { $0.contains("2025-03-26") })
        let (quiet, _) = try self.look([:], isChallenged: false)
        #expect(self.found(quiet) == nil)
        let (named, _) = try self.look([Self.prm + "/mcp": Self.resource()])
        #expect(self.found(named) == nil)
    }

    @Test
    func `D10: an issuer that does not advertise S256 is refused in that very sentence, but for those known to do it`()
        throws
    {
        let silent = try ServerMetadata(
            ByteBuffer(
                string: Fixture.metadataText().replacing(#","code_challenge_methods_supported":["S256"]"#, with: "")))
        guard case .refused(let words) = PKCE.verdict(on: silent, .required) else { return #expect(Bool(false)) }
        #expect(words.contains("code_challenge_methods_supported") && words.contains("assume-s256"))
        guard case .assumed = PKCE.verdict(on: silent, .assumed) else { return #expect(Bool(false)) }
        #expect(PKCE.verdict(on: try Fixture.metadata(), .required) == .good)
        for (issuer, isKnown) in [
            ("https://login.microsoftonline.com/x/v2.0", true), ("https://cognito-idp.eu-west-1.amazonaws.com/p", true),
            ("https://me.b2clogin.com/x", true), ("https://login.microsoftonline.com.evil.example/", false),
            ("http://login.microsoftonline.com/", false), ("https://b2clogin.com.example", false),
        ] {
            #expect((IssuersWithoutWords.name(of: issuer) != nil) == isKnown)
        }
        var plain = silent
        plain.challengeMethods = ["plain"]
        plain.issuer = "https://login.microsoftonline.com/x"
        guard case .refused = PKCE.verdict(on: plain, .required) else { return #expect(Bool(false)) }
        // RFC 7636, appendix B.
        #expect(
            PKCE.challenge(of: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
                == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")
    }

    @Test(arguments: [
        "http://as.example/token", "javascript:alert(1)", "https://as.example/token#x", "https://u:p@as.example/token",
        "https://as.example/to ken", "https://as.example/\\u0007", "file:///etc/passwd", "https://",
    ]) func `D11: an endpoint that nothing may be sent to spoils the document`(endpoint: String) {
        let text = Fixture.metadataText().replacing("https://as.example/token", with: endpoint)
        #expect(throws: ServerMetadata.Flaw.self) { try ServerMetadata(ByteBuffer(string: text)) }
    }

    @Test func `D11: endpoints on another host are allowed, and on this machine without TLS`() throws {
        let text = Fixture.metadataText().replacing("https://as.example/token", with: "https://slack.example/token")
        #expect(try ServerMetadata(ByteBuffer(string: text)).tokenEndpoint == "https://slack.example/token")
        let local = Fixture.metadataText().replacing("https://as.example", with: "http://127.0.0.1:9")
        #expect(try ServerMetadata(ByteBuffer(string: local)).issuer == "http://127.0.0.1:9")
    }

    @Test func `D12 and D18: what is asked for is JSON that is not packed, of limited size and time`() throws {
        var discovery = try #require(
            Discovery(Fixture.server, settings: Fixture.settings(), challenge: nil, isChallenged: true))
        guard case .ask(let request) = discovery.begin() else { return #expect(Bool(false)) }
        #expect(request.header("Accept") == "application/json" && request.header("Accept-Encoding") == "identity")
        #expect(request.limit == 10 && request.maximumBody == 256 << 10)
        #expect(request.header("MCP-Protocol-Version") != nil)
    }

    @Test(
        arguments: [
            (["Retry-After": "120"], "", 120), (["Retry-After": "99999"], "", 3_600),
            (["Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT"], "", 60), ([:], #"{"reset_at":1800000030}"#, 30),
            ([:], #"{"reset_at":"2027-01-15T08:00:10Z"}"#, 10), ([:], "", nil),
        ] as [([String: String], String, Int?)])
    func `D13: patience is asked for by a header or in the body, and given for an hour at most`(
        headers: [String: String], body: String, seconds: Int?
    ) {
        guard case .reply(let reply) = Fixture.reply(429, body, headers) else { return }
        #expect(Patience.seconds(reply, now: Fixture.now.wall) == seconds)
    }

    @Test func `D16: tokens of one issuer are never shown to another`() throws {
        var record = try Fixture.record()
        record.discovered = Discovered(resource: "r", metadata: try Fixture.metadata("https://new.example"))
        let variants = RefreshVariants(record, Fixture.tokens(), Fixture.settings())
        #expect(!variants.canAsk)
        var keeper = TokenKeeper(try Fixture.record(), settings: Fixture.settings(), now: Fixture.now, draw: 0)
        let found = Discovered(resource: "r", metadata: try Fixture.metadata("https://new.example"))
        _ = keeper.rediscovered(.success(found), now: Fixture.now, draw: 0)
        let report = keeper.report(Fixture.now)
        #expect(report.phase == .signInNeeded)
        #expect(
            report.reason?.contains("https://new.example") == true && report.reason?.contains(Fixture.issuer) == true)
        #expect(keeper.record.tokens == Fixture.tokens())
    }

    @Test func `a configured issuer is the only one that is asked`() throws {
        let pages = [
            Self.prm + "/mcp": Self.resource(Fixture.server, #""https://x.example","https://as.example""#),
            Self.inserted: Fixture.reply(200, Fixture.metadataText()),
        ]
        let (step, urls) = try self.look(pages, settings: Fixture.settings { $0.issuer = Fixture.issuer })
        #expect(self.found(step) != nil && urls.count == 2)
        let (other, _) = try self.look(pages, settings: Fixture.settings { $0.issuer = "https://y.example" })
        #expect(self.words(other).contains("oauth.issuer"))
    }
}
