import BridgeAccess
import BridgeConfiguration
import BridgeCore
import NIOHTTP1
import Testing

@testable import BridgeFront

@Suite("Tokens at the door") struct TokenDoorTests {
    private static let key = TokenKey.random()
    private static let now = 1_000
    private static let local = Caller(.tcp(remote: IPAddress("127.0.0.1"), local: IPAddress("127.0.0.1")))
    private static let elsewhere = Caller(.tcp(remote: IPAddress("203.0.113.7"), local: IPAddress("127.0.0.1")))

    private static func known(_ secret: TokenSecret, scope: String, expires: Int? = nil) throws -> KnownTokens {
        let token = Token(
            id: .random(), name: "t", scope: try TokenScope(scope), created: 0, expires: expires,
            hash: Self.key.hash(secret))
        var table = TokenTable(key: Self.key)
        table.put(token)
        return KnownTokens(table)
    }

    private static func verdict(
        _ fields: [(String, String)], from caller: Caller, _ tokens: KnownTokens, rule: TokenRule = .remote,
        isPublic: Bool = false, at second: Int = now
    ) -> FrontDoor.Verdict {
        let configuration = FrontConfiguration(
            sessionSocket: "", version: "0", requireToken: rule,
            origins: OriginPattern.standard + [OriginPattern("chrome-extension://abcdef")], serviceUID: 900)
        return FrontDoor(configuration, isPublic: isPublic).verdict(
            RequestLine(.GET, RequestTarget("/"), isHTTP10: false),
            RequestFields(HTTPHeaders([("Host", "localhost")] + fields)),
            from: caller, tokens: tokens, at: second)
    }

    private static func admission(_ verdict: FrontDoor.Verdict) -> FrontDoor.Admission? {
        if case .admitted(let admission) = verdict { admission } else { nil }
    }

    private static func word(_ verdict: FrontDoor.Verdict) -> String? {
        if case .refused(let refusal, _) = verdict { refusal.code } else { nil }
    }

    @Test(arguments: ["Authorization", "x-api-key"])
    func `lets in by either header, from anywhere, as its own principal`(header: String) throws {
        let secret = TokenSecret.random()
        let tokens = try Self.known(secret, scope: "mcp")
        let value = header == "Authorization" ? "bearer \(secret.text)" : secret.text
        for caller in [Self.local, Self.elsewhere] {
            let admission = try #require(Self.admission(Self.verdict([(header, value)], from: caller, tokens)))
            #expect(admission.principal.hasPrefix("token:") && admission.grants == [.mcp])
        }
        let page = [(header, value), ("Origin", "chrome-extension://abcdef")]
        #expect(Self.admission(Self.verdict(page, from: Self.local, tokens)) != nil)
        #expect(Self.word(Self.verdict(page + [("X-Real-IP", "1.2.3.4")], from: Self.local, tokens)) == nil)
        #expect(
            Self.word(
                Self.verdict([("Origin", "chrome-extension://other")] + [(header, value)], from: Self.local, tokens))
                == "origin_not_allowed")
    }

    @Test func `is asked of whoever is not local, and of everybody where the rule or the socket says so`() throws {
        let tokens = try Self.known(.random(), scope: "mcp")
        #expect(Self.admission(Self.verdict([], from: Self.local, tokens))?.principal == "local")
        #expect(Self.word(Self.verdict([], from: Self.elsewhere, tokens)) == "token_required")
        #expect(Self.word(Self.verdict([("Via", "1.1 x")], from: Self.local, tokens)) == "token_required")
        for caller in [Self.local, Caller(.unix(uid: 0))] {
            #expect(Self.word(Self.verdict([], from: caller, tokens, rule: .always)) == "token_required")
            #expect(Self.word(Self.verdict([], from: caller, tokens, isPublic: true)) == "token_required")
        }
    }

    @Test func `that is not good is refused in the same words, and where tokens cannot be read that is said`() throws {
        let secret = TokenSecret.random()
        let tokens = try Self.known(secret, scope: "mcp", expires: 2_000)
        let bad = [TokenSecret.random().text, String(secret.text.dropLast()), "mcpb_"]
        for text in bad {
            #expect(
                Self.verdict([("x-api-key", text)], from: Self.local, tokens) == .refused(.tokenNotGood, origin: nil))
        }
        let shown = [("x-api-key", secret.text)]
        #expect(Self.admission(Self.verdict(shown, from: Self.local, tokens, at: 1_999)) != nil)
        #expect(Self.verdict(shown, from: Self.local, tokens, at: 2_000) == .refused(.tokenNotGood, origin: nil))
        #expect(Self.word(Self.verdict(shown, from: Self.elsewhere, KnownTokens())) == "tokens_unreadable")
        #expect(Self.admission(Self.verdict([], from: Self.local, KnownTokens())) != nil, "local callers go on")
        #expect(Self.admission(Self.verdict([("x-api-key", "sk-any")], from: Self.local, tokens))?.principal == "local")
    }

    @Test(arguments: [
        ("mcp", [true, true, true, false]), ("admin", [true, true, true, true]),
        ("server:a", [true, true, false, false]),
        ("tool:a.b", [true, true, false, false]), ("chat", [true, false, false, false]),
    ])
    func `opens the routes that its scope has`(scope: String, expected: [Bool]) throws {
        let secret = TokenSecret.random()
        let tokens = try Self.known(secret, scope: scope)
        let admission = try #require(
            Self.admission(Self.verdict([("x-api-key", secret.text)], from: Self.elsewhere, tokens)))
        let needs: [Route.Need] = [.anyone, .mcp, .allOfMCP, .admin]
        #expect(needs.map { admission.refusal(for: $0) == nil } == expected)
        #expect(FrontDoor.Admission.stranger(.tokenRequired, origin: nil).refusal(for: .anyone) == .tokenRequired)
        #expect(FrontDoor.Admission.stranger(.tokenRequired, origin: nil).refusal(for: .nothing) == nil)
    }
}
