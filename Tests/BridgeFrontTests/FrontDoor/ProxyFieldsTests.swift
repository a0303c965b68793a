import Testing

@testable import BridgeFront

@Suite("Proxies' fields") struct ProxyFieldsTests {
    private static let prefixed = ["for", "host", "proto", "port", "server", "by", "anything"].map {
        "\(ProxyFields.prefix)" + $0
    }

    @Test(arguments: ProxyFields.names + Self.prefixed)
    func `a proxy's mark is seen in every letter case, also when it is empty`(name: String) {
        let capitals = name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(
            separator: "-")
        for spelling in [name, name.uppercased(), capitals] {
            #expect(RequestFieldsTests.fields([(spelling, "")]).isForwarded, "\(spelling)")
        }
    }

    /// What the project promises by name, spelled as the world spells it.
    @Test(arguments: [
        "Forwarded", "Via", "X-Forwarded-For", "X-Real-IP", "CF-Connecting-IP", "CF-Connecting-IPv6", "True-Client-IP",
        "X-Client-IP", "X-Cluster-Client-IP", "X-Original-Forwarded-For", "Fastly-Client-IP", "X-Azure-ClientIP",
        "X-Appengine-User-IP", "Fly-Client-IP", "X-Envoy-External-Address", "X-ProxyUser-Ip", "WL-Proxy-Client-IP",
        "Proxy-Client-IP", "X-Original-Host", "Tailscale-User-Login", "X-Original-URL",
    ])
    func `a well-known mark is seen`(name: String) {
        #expect(RequestFieldsTests.fields([(name, "192.0.2.1")]).isForwarded)
    }

    @Test func `each is written once, in lower case, without what the prefix covers`() {
        #expect(Set(ProxyFields.names).count == ProxyFields.names.count)
        for name in ProxyFields.names {
            #expect(name == name.lowercased())
            #expect(!name.hasPrefix("\(ProxyFields.prefix)"))
        }
    }

    @Test(arguments: [
        "User-Agent", "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Connection", "Content-Type",
        "Mcp-Method", "Mcp-Name", "Mcp-Param-Region", "Sec-Fetch-Mode", "Referer", "Cookie", "Traceparent",
        "Tracestate",
        "Baggage", "X-Request-ID", "X-Correlation-ID", "X-Amzn-Trace-Id", "X-Cloud-Trace-Context", "X-Api-Key",
        "X-Requested-With", "X-HTTP-Method-Override", "Proxy-Connection", "Max-Forwards", "Forward", "Via-",
        "X-Forward",
        "Priority", "DNT", "Upgrade-Insecure-Requests", "X-Stainless-Lang",
    ])
    func `what a client sends for itself is not taken for a mark`(name: String) {
        #expect(!RequestFieldsTests.fields([(name, "x")]).isForwarded)
    }
}
