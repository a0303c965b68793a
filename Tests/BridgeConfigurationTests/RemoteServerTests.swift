import Testing

@testable import BridgeConfiguration

@Suite("Remote servers") struct RemoteServerTests {
    private static func endpoint(
        _ entry: String, variables: [String: String] = [:], files: [String] = ["/etc/app/ca.pem", "/etc/ca.pem"]
    ) -> (UpstreamTarget.Endpoint?, [String]) {
        let context = LoadingContext(
            variables: variables, homeDirectory: "/home/ada", fileContent: { files.contains($0) ? [] : nil })
        let loaded = Loading.load(#"{"mcpServers":{"far":\#(entry)}}"#, context: context)
        guard case .remote(let endpoint)? = loaded.configuration?.server(named: "far")?.target else {
            return (nil, loaded.brief)
        }
        return (endpoint, loaded.brief)
    }

    @Test func `an authority's file is found from the configuration's folder, and may hold a variable`() {
        let (endpoint, told) = Self.endpoint(
            #"{"url": "https://x/mcp", "tls": {"ca": "${DIR}/ca.pem"}}"#, variables: ["DIR": "/etc"])
        #expect(endpoint?.authorities?.value == "/etc/ca.pem" && told == [])
        #expect(
            Self.endpoint(#"{"url": "https://x/mcp", "tls": {"ca": "ca.pem"}}"#).0?.authorities?.value
                == "/etc/app/ca.pem")
        #expect(
            Self.endpoint(#"{"url": "https://x/mcp", "tls": {"ca": "/no.pem"}}"#).1.contains {
                $0.contains("cannot be read")
            })
    }

    @Test(arguments: [
        ("https://localhost:8/mcp", true), ("https://127.0.0.1/", true), ("https://[::1]:8/", true),
        ("https://me:secret@localhost/", true), ("https://example.com/", false),
        ("https://localhost@example.com/", false),
        ("https://127.0.0.1.example.com/", false),
    ]) func `anybody is believed on this machine only`(url: String, isAllowed: Bool) {
        let (endpoint, told) = Self.endpoint(#"{"url": "\#(url)", "tls": {"insecure": true}}"#)
        #expect((endpoint?.trustsAnybody == true) == isAllowed)
        #expect(told.contains { $0.contains("only for a server on this machine") } != isAllowed)
    }

    @Test func `both, and what nobody knows, is an error`() {
        #expect(
            Self.endpoint(#"{"url": "https://localhost/", "tls": {"insecure": true, "ca": "/etc/ca.pem"}}"#).1.count
                == 1)
        #expect(Self.endpoint(#"{"url": "https://localhost/", "tls": {"verify": false}}"#).1.count == 1)
        #expect(Self.endpoint(#"{"url": "https://localhost/", "tls": {"insecure": false}}"#).0?.trustsAnybody == false)
    }

    @Test func `a proxy comes from the entry, else from the service`() {
        let service = ["HTTPS_PROXY": "http://user:pa%40ss@proxy.example:3128"]
        let (endpoint, _) = Self.endpoint(#"{"url": "https://x/mcp"}"#, variables: service)
        #expect(
            endpoint?.proxy == .init(.http, host: "proxy.example", port: 3_128, user: "user", password: Secret("pa@ss"))
        )
        #expect(endpoint.map { "\($0)" }?.contains("pa@ss") == false)
        let own = Self.endpoint(#"{"url": "https://x/mcp", "env": {"https_proxy": "other:1"}}"#, variables: service)
        #expect(own.0?.proxy == .init(.http, host: "other", port: 1))
        #expect(
            Self.endpoint(#"{"url": "https://x/mcp", "env": {"HTTPS_PROXY": null}}"#, variables: service).0?.proxy
                == nil)
        #expect(
            Self.endpoint(#"{"url": "https://x/mcp", "env": {"NO_PROXY": "x"}}"#, variables: service).0?.proxy == nil)
        #expect(Self.endpoint(#"{"url": "http://x/mcp"}"#, variables: service).0?.proxy == nil)
        let bad = Self.endpoint(#"{"url": "https://x/mcp"}"#, variables: ["ALL_PROXY": "ftp://secret@x"])
        #expect(bad.1.contains { $0.contains("ALL_PROXY") && !$0.contains("secret") })
    }

    private static func verdict(_ url: String, _ variables: [String: String]) -> ProxyRule.Verdict {
        ProxyRule(entry: [:], service: variables).verdict(on: url)
    }

    @Test(arguments: [
        "https://localhost/", "https://127.0.0.1:9/", "https://[::1]/", "https://api.localhost/",
        "https://inner.example/", "https://a.inner.example/mcp", "https://wild.example", "https://10.1.2.3/",
        "https://ported.example:8443/", "https://[fd00::7]/",
    ]) func `these are reached directly`(url: String) {
        let variables = [
            "https_proxy": "http://p:1",
            "no_proxy": "inner.example, .wild.example,10.0.0.0/8,ported.example:8443,fd00::/8",
        ]
        #expect(Self.verdict(url, variables) == .direct)
    }

    @Test(arguments: ["https://example/", "https://notinner.example/", "https://11.1.2.3/", "https://ported.example/"])
    func `these are not`(url: String) {
        let variables = ["https_proxy": "p:1", "no_proxy": "inner.example,10.0.0.0/8,ported.example:8443"]
        #expect(Self.verdict(url, variables) == .proxy(.init(.http, host: "p", port: 1)))
    }

    @Test func `names in small letters win, and an empty one means none`() {
        #expect(Self.verdict("https://x/", ["https_proxy": "", "HTTPS_PROXY": "p:1"]) == .direct)
        #expect(Self.verdict("https://x/", ["https_proxy": "p:1", "no_proxy": "*"]) == .direct)
        #expect(Self.verdict("http://x/", ["all_proxy": "socks5://s"]) == .proxy(.init(.socks, host: "s", port: 1_080)))
        #expect(
            Self.verdict("https://x/", ["https_proxy": "http://[::7]:8"]) == .proxy(.init(.http, host: "::7", port: 8)))
        #expect(Self.verdict("https://x/", ["https_proxy": "https://p"]) == .unknown(variable: "https_proxy"))
        #expect(Self.verdict("https://x/", ["https_proxy": "p:99999"]) == .unknown(variable: "https_proxy"))
    }
}
