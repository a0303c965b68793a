import BridgeConfiguration
import BridgeCore
import NIOHTTP1
import Testing

@testable import BridgeFront

@Suite("Front door") struct FrontDoorTests {
    private static let loopback = Caller(.tcp(remote: IPAddress("127.0.0.1"), local: IPAddress("127.0.0.1")))
    private static let serviceUID: UInt32 = 900

    private static func verdict(
        _ fields: [(String, String)] = [],
        from caller: Caller = FrontDoorTests.loopback,
        method: HTTPMethod = .GET,
        host: String? = "localhost",
        target: String = "/",
        isHTTP10: Bool = false,
        isOpenOnLoopback: Bool = false,
        isPublic: Bool = false
    ) -> FrontDoor.Verdict {
        let configuration = FrontConfiguration(
            sessionSocket: "", version: "0", peers: [1000: [.mcp, .admin], 1001: []], serviceUID: Self.serviceUID,
            isOpenOnLoopback: isOpenOnLoopback
        )
        let headers = HTTPHeaders((host.map { [("Host", $0)] } ?? []) + fields)
        let line = RequestLine(method, RequestTarget(target), isHTTP10: isHTTP10)
        return FrontDoor(configuration, isPublic: isPublic).verdict(line, RequestFields(headers), from: caller)
    }

    private static func admission(_ verdict: FrontDoor.Verdict) -> FrontDoor.Admission? {
        if case .admitted(let admission) = verdict { admission } else { nil }
    }

    private static func refusal(_ verdict: FrontDoor.Verdict) -> String? {
        if case .refused(let refusal, _) = verdict { refusal.code } else { nil }
    }

    @Test func `a process on loopback speaks MCP and administers nothing`() {
        let admission = Self.admission(Self.verdict())
        #expect(admission?.principal == "local")
        #expect(admission?.grants == [.mcp, .chat, .source])
        #expect(admission?.mayAdminister == false)
    }

    @Test func `the client whose program the bridge is needs no token where everybody else does`() {
        #expect(Self.refusal(Self.verdict(isPublic: true)) == "token_required")
        #expect(
            Self.refusal(Self.verdict(from: Caller(.unix(uid: Self.serviceUID)), isPublic: true)) == "token_required")
        let admission = Self.admission(Self.verdict(from: Caller(.own), isPublic: true))
        #expect(admission?.principal == "own")
        #expect(admission?.grants.isSuperset(of: [.mcp, .chat, .admin]) == true)
    }

    @Test func `whoever administers may be a source by its command's word, and nobody else without a token`() {
        let mayLend = { (caller: Caller, fields: [(String, String)]) in
            Self.admission(Self.verdict(fields, from: caller))?.mayLendUnnamed
        }
        #expect(mayLend(Caller(.own), []) == true)
        #expect(mayLend(Caller(.unix(uid: Self.serviceUID)), []) == true)
        #expect(mayLend(Caller(.unix(uid: Self.serviceUID)), [("Origin", "http://localhost:1")]) == false)
        #expect(mayLend(Caller(.unix(uid: 4242)), []) == false)
        #expect(mayLend(Self.loopback, []) == false)
    }

    @Test func `a gateway is administered on plain loopback, by no page, no proxy and no other machine`() {
        #expect(Self.admission(Self.verdict(isOpenOnLoopback: true))?.mayAdminister == true)
        let page = Self.verdict([("Origin", "http://localhost:1")], isOpenOnLoopback: true)
        #expect(Self.admission(page)?.mayAdminister == false)
        #expect(Self.refusal(Self.verdict([("Via", "1.1 proxy")], isOpenOnLoopback: true)) == "token_required")
        #expect(Self.refusal(Self.verdict(host: "evil.example", isOpenOnLoopback: true)) == "host_not_allowed")
        let remote = Caller(.tcp(remote: IPAddress("192.0.2.1"), local: IPAddress("192.0.2.2")))
        #expect(Self.refusal(Self.verdict(from: remote, host: "192.0.2.2", isOpenOnLoopback: true)) == "token_required")
        #expect(
            remote.grants(FrontConfiguration(sessionSocket: "", version: "0", serviceUID: 1, isOpenOnLoopback: true))
                == [])
    }

    @Test(arguments: [(0, true), (900, true), (1000, true), (1001, false), (4242, false)] as [(UInt32, Bool)])
    func `on the local socket the user decides who administers`(uid: UInt32, mayAdminister: Bool) {
        let admission = Self.admission(Self.verdict(from: Caller(.unix(uid: uid)), host: "whatever"))
        #expect(admission?.principal == "uid:\(uid)")
        #expect(admission?.mayAdminister == mayAdminister)
    }

    @Test func `a user without grants gets none, and an unknown user neither`() {
        #expect(Self.admission(Self.verdict(from: Caller(.unix(uid: 1001))))?.grants == [])
        #expect(Self.admission(Self.verdict(from: Caller(.unix(uid: nil))))?.grants == [])
        #expect(Self.admission(Self.verdict(from: Caller(.unix(uid: 4242))))?.grants == [.mcp, .source])
    }

    @Test func `a page never administers, not even through an administrator's socket`() {
        let verdict = Self.verdict([("Origin", "http://localhost:1")], from: Caller(.unix(uid: 0)))
        #expect(Self.admission(verdict)?.mayAdminister == false)
        #expect(Self.admission(verdict)?.grants.contains(.mcp) == true)
    }

    @Test func `a foreign Host is refused on TCP and ignored on the local socket`() {
        #expect(Self.refusal(Self.verdict(host: "evil.example")) == "host_not_allowed")
        #expect(Self.refusal(Self.verdict(host: nil)) == "bad_request")
        #expect(Self.admission(Self.verdict(from: Caller(.unix(uid: 0)), host: "evil.example")) != nil)
        #expect(Self.admission(Self.verdict(from: Caller(.unix(uid: 0)), host: nil)) != nil)
    }

    @Test(arguments: [HTTPMethod.GET, .POST, .DELETE, .OPTIONS])
    func `a foreign origin is refused with every method`(method: HTTPMethod) {
        let verdict = Self.verdict([("Origin", "https://evil.example")], method: method)
        #expect(verdict == .refused(.originNotAllowed, origin: nil))
        let local = Self.verdict([("Origin", "null")], from: Caller(.unix(uid: 0)), method: method)
        #expect(local == .refused(.originNotAllowed, origin: nil))
    }

    @Test func `a remote page may ask what it may do and needs a token to do it`() {
        let origin = [("Origin", "https://claude.ai")]
        #expect(Self.verdict(origin, method: .OPTIONS) == .preflight(origin: "https://claude.ai"))
        #expect(Self.verdict(origin) == .refused(.tokenRequired, origin: "https://claude.ai"))
        #expect(Self.verdict(origin, method: .POST) == .refused(.tokenRequired, origin: "https://claude.ai"))
        // Nobody has read the tokens here.
        #expect(
            Self.verdict(origin + [("Authorization", "Bearer mcpb_x")])
                == .refused(.tokensUnreadable, origin: "https://claude.ai")
        )
    }

    @Test(arguments: ["Forwarded", "X-Forwarded-For", "Via"])
    func `a forwarded request is never local`(name: String) {
        #expect(Self.refusal(Self.verdict([(name, "127.0.0.1")])) == "token_required")
        #expect(Self.refusal(Self.verdict([(name, "")], from: Caller(.unix(uid: 0)))) == "token_required")
        #expect(Self.verdict([(name, "x")], method: .OPTIONS) == .preflight(origin: nil))
    }

    @Test func `a connection from another machine needs a token`() {
        let caller = Caller(.tcp(remote: IPAddress("192.168.1.9"), local: IPAddress("192.168.1.5")))
        #expect(Self.refusal(Self.verdict(from: caller, host: "192.168.1.5")) == "token_required")
        #expect(Self.refusal(Self.verdict(from: Caller(.tcp(remote: nil, local: nil)))) == "token_required")
    }

    @Test(arguments: ["", "mcp", "*", "https://localhost/", "ws://localhost/", "http:/localhost/", "localhost:80"])
    func `a target that is no path and no URL of ours is refused`(target: String) {
        for caller in [Self.loopback, Caller(.unix(uid: 0))] {
            #expect(Self.refusal(Self.verdict(from: caller, target: target)) == "bad_request")
        }
    }

    @Test(arguments: [
        ("http://localhost", "localhost"), ("HTTP://LocalHost/mcp", "localhost"), ("http://localhost:80/", "localhost"),
        ("http://localhost/", "localhost:80"), ("http://localhost:8769/mcp", "LOCALHOST:8769"),
        ("http://[::1]:8769/mcp?names=safe", "[::1]:8769"), ("http://127.0.0.1:/", "127.0.0.1"),
        ("http://localhost./", "localhost"),
    ])
    func `a URL with the host that Host names is served`(target: String, host: String) {
        #expect(Self.admission(Self.verdict(host: host, target: target)) != nil)
        #expect(Self.admission(Self.verdict(from: Caller(.unix(uid: 0)), host: host, target: target)) != nil)
    }

    @Test(arguments: [
        ("http://localhost/", "127.0.0.1"), ("http://localhost:81/", "localhost"),
        ("http://localhost/", "localhost:81"),
        ("http://localhost/", "evil.example"), ("http://evil.example/", "localhost"), ("http://localhost/", ""),
        ("http://localhost:8769/", "localhost:08770"), ("http://[::1]/", "localhost"),
    ])
    func `a URL whose host is not that of Host is refused everywhere`(target: String, host: String) {
        for caller in [Self.loopback, Caller(.unix(uid: 0))] {
            for isHTTP10 in [false, true] {
                let verdict = Self.verdict(from: caller, host: host, target: target, isHTTP10: isHTTP10)
                #expect(Self.refusal(verdict) == "bad_request")
            }
        }
    }

    @Test(arguments: [
        "http:///mcp", "http://", "http://?x", "http://user@localhost/", "http://user:pass@localhost/",
        "http://@localhost/",
        "http://localhost@evil.example/", "http://localhost:x/", "http://localhost:123456/", "http://[::1/",
        "http://::1/",
        "http://local%68ost/", "http://localhost\\/", "http:// localhost/", "http://localhost:80:80/",
    ])
    func `a URL without a host, with a user or with something else before the path is refused`(target: String) {
        let authority = String(target.dropFirst(7).prefix { $0 != "/" && $0 != "?" })
        for host in ["localhost", authority, nil] {
            #expect(Self.refusal(Self.verdict(host: host, target: target, isHTTP10: true)) == "bad_request")
        }
    }

    @Test func `the host of a URL goes through the same check as Host`() {
        #expect(Self.refusal(Self.verdict(host: "evil.example", target: "http://evil.example/")) == "host_not_allowed")
        let old = Self.verdict(host: nil, target: "http://evil.example/health", isHTTP10: true)
        #expect(Self.refusal(old) == "host_not_allowed")
        let options = Self.verdict(method: .OPTIONS, host: "evil.example", target: "http://evil.example")
        #expect(Self.refusal(options) == "host_not_allowed")
    }

    @Test func `an old client may name the host in its URL alone, a newer one not`() {
        #expect(Self.admission(Self.verdict(host: nil, target: "http://localhost/mcp", isHTTP10: true)) != nil)
        #expect(Self.refusal(Self.verdict(host: nil, target: "http://localhost/mcp")) == "bad_request")
    }

    @Test(arguments: ["/health", "/health/live", "/health/ready", "/health?verbose"])
    func `a health check of HTTP 1,0 needs no Host`(target: String) {
        #expect(Self.admission(Self.verdict(host: nil, target: target, isHTTP10: true)) != nil)
        #expect(Self.refusal(Self.verdict(host: nil, target: target)) == "bad_request")
        #expect(Self.refusal(Self.verdict(host: "evil.example", target: target, isHTTP10: true)) == "host_not_allowed")
        let page = Self.verdict([("Origin", "https://evil.example")], host: nil, target: target, isHTTP10: true)
        #expect(Self.refusal(page) == "origin_not_allowed")
        let forwarded = Self.verdict([("Via", "1.0 x")], host: nil, target: target, isHTTP10: true)
        #expect(Self.refusal(forwarded) == "token_required")
    }

    @Test(arguments: [
        "/", "/mcp", "/healthy", "/health/", "/health/../mcp", "//health", "/servers?/health", "/health%2flive",
    ])
    func `nothing else of HTTP 1,0 does without`(target: String) {
        #expect(Self.refusal(Self.verdict(host: nil, target: target, isHTTP10: true)) == "bad_request")
    }

    @Test func `a second Host is refused`() {
        #expect(Self.refusal(Self.verdict([("Host", "localhost")])) == "bad_request")
    }
}
