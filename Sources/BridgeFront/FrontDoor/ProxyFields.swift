/// The header fields that proxies add to a request of somebody else. A program that speaks for itself sends none of them.
///
/// Each is one that some proxy, load balancer or content network sets about its client: the client's address, name,
/// place or certificate, or what the client asked for and of whom. Not in here is what clients send themselves:
/// `X-Request-ID`, `traceparent`, `X-Amzn-Trace-Id`, `X-Cloud-Trace-Context`, `Proxy-Connection`.
enum ProxyFields {
    /// Lower-cased names.
    static let names = [
        // Standards: RFC 7239, 9110, 8586, 9440, and the W3C's note on edge servers.
        "forwarded", "via", "cdn-loop", "client-cert", "client-cert-chain", "surrogate-capability",
        // What proxies have called the client's address.
        "x-real-ip", "x-real-port", "x-client-ip", "x-client-port", "client-ip", "true-client-ip", "x-true-client-ip",
        "x-cluster-client-ip", "x-originating-ip", "x-remote-ip", "x-remote-addr", "remote-addr",
        "remote-host", "x-proxyuser-ip", "x-source-ip", "proxy-client-ip", "wl-proxy-client-ip", "x-forwarded",
        "forwarded-for", "x-forward-for", "x-proxied-for",
        "z-forwarded-for", "x-envoy-external-address", "x-envoy-internal",
        // What the client had asked for before the proxy changed it.
        "x-original-forwarded-for", "x-original-forwarded-host", "x-original-forwarded-proto", "x-original-host",
        "x-original-proto", "x-original-scheme", "x-original-uri", "x-original-url", "x-original-method",
        "x-original-remote-addr", "x-original-to", "x-rewrite-url", "x-scheme", "x-url-scheme", "x-host",
        "x-envoy-original-path", "x-envoy-original-host", "x-envoy-expected-rq-timeout-ms", "x-envoy-peer-metadata",
        "x-envoy-downstream-service-cluster", "x-envoy-attempt-count", "disguised-host", "front-end-https",
        // Who the client is, after the proxy has signed it in.
        "remote-user", "x-remote-user", "x-auth-request-user", "x-auth-request-email", "x-pomerium-jwt-assertion",
        "x-goog-authenticated-user-email", "x-goog-iap-jwt-assertion", "x-amzn-oidc-identity", "x-amzn-oidc-data",
        "x-amzn-mtls-clientcert", "tailscale-user-login", "tailscale-user-name", "x-ms-client-principal-name",
        "x-client-cert", "x-client-verify", "x-ssl-client-cert", "x-ssl-client-verify", "x-ssl-client-s-dn",
        "ssl-client-cert", "ssl-client-verify", "ssl-client-subject-dn", "x-arr-clientcert",
        // Proxies that say only that they are there.
        "x-varnish", "x-nginx-proxy", "x-bluecoat-via", "x-ms-proxy", "x-arr-log-id", "x-arr-ssl",
        "wl-proxy-ssl",
        // Cloudflare, Fastly, Akamai, CloudFront, Azure, Google, Fly, Vercel, Netlify, DigitalOcean and others.
        "cf-connecting-ip", "cf-connecting-ipv6", "cf-connecting-o2o", "cf-pseudo-ipv4", "cf-ipcountry", "cf-ray",
        "cf-visitor", "cf-worker", "cf-ew-via", "cf-warp-tag-id", "cf-access-authenticated-user-email",
        "cf-access-jwt-assertion", "fastly-client-ip", "fastly-client", "fastly-ff", "fastly-ssl", "akamai-origin-hop",
        "x-akamai-edgescape", "cloudfront-viewer-address", "cloudfront-viewer-country", "cloudfront-forwarded-proto",
        "x-amz-cf-id", "x-azure-clientip", "x-azure-socketip", "x-azure-fdid", "x-azure-ref", "x-appservice-proto",
        "x-appengine-user-ip", "x-appengine-remote-addr", "x-appengine-country", "fly-client-ip", "fly-forwarded-port",
        "fly-forwarded-proto", "fly-forwarded-ssl", "x-vercel-forwarded-for", "x-vercel-proxied-for",
        "x-vercel-ip-country", "x-nf-client-connection-ip", "do-connecting-ip", "ali-cdn-real-ip", "ali-real-client-ip",
        "cdn-src-ip", "incap-client-ip", "x-sucuri-clientip", "x-qrator-ip-source", "ns-client-ip", "x-railway-edge",
        "x-ms-forwarded-client-ip",
    ]
    /// Every name that begins so is one of them.
    static let prefix: StaticString = "x-forwarded-"

    /// The names by their length: a field is compared with the few that are as long as it is.
    private static let byLength: [[[UInt8]]] = {
        var byLength: [[[UInt8]]] = Array(repeating: [], count: (Self.names.map(\.utf8.count).max() ?? 0) + 1)
        for name in Self.names { byLength[name.utf8.count].append(Array(name.utf8)) }
        return byLength
    }()

    /// Whether it is one of them, in any case.
    static func contain(_ name: String) -> Bool {
        if name.begins(with: Self.prefix) { return true }
        let length = name.utf8.count
        guard length < Self.byLength.count else { return false }
        return Self.byLength[length].contains { known in
            zip(name.utf8, known).allSatisfy { $0.lowercasedASCII == $1 }
        }
    }
}
