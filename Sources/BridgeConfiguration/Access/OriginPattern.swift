/// An `Origin` that may ask: `scheme://host[:port]`, where the host may begin with `*.` (any subdomain, at any depth)
/// and the port may be `*` (any, or none). Extensions and applications have schemes of their own
/// (`chrome-extension://…`, `app://…`).
///
/// Matching compares parsed parts, never prefixes: `http://localhost:*` does not match
/// `http://localhost:80@evil.example`.
package struct OriginPattern: RawRepresentable, Sendable, Hashable, Codable {
    package let rawValue: String

    package init(rawValue: String) {
        self.rawValue = rawValue
    }

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    /// The web clients that are let in unless configuration says otherwise, and pages served from this machine.
    ///
    /// Remote origins are taken over `https` only: a page that came over plain `http` can have been written by anybody
    /// on the way.
    package static let standard: [OriginPattern] = [
        OriginPattern("https://claude.ai"),
        OriginPattern("https://chatgpt.com"),
        OriginPattern("https://chat.openai.com"),
        OriginPattern("https://*.claudeusercontent.com"),
        OriginPattern("https://*.openai.com"),
        OriginPattern("http://127.0.0.1:*"),
        OriginPattern("http://localhost:*"),
        OriginPattern("http://[::1]:*"),
    ]

    /// Whether the pattern can match anything at all.
    package var isValid: Bool {
        guard let parts = Parts(self.rawValue, wildcards: true) else { return false }
        return !parts.host.isEmpty
    }

    /// Whether a request's `Origin` header is one of this pattern's. `null` and anything malformed never is.
    package func matches(_ origin: some StringProtocol) -> Bool {
        guard let pattern = Parts(self.rawValue, wildcards: true), let asked = Parts(origin, wildcards: false),
            pattern.scheme == asked.scheme
        else { return false }
        guard pattern.port == "*" || pattern.effectivePort == asked.effectivePort else { return false }
        guard pattern.host.hasPrefix("*.") else { return pattern.host == asked.host }
        let suffix = pattern.host.dropFirst()
        return asked.host.hasSuffix(suffix) && asked.host.utf8.count > suffix.utf8.count
    }
}

extension OriginPattern {
    /// An origin taken apart; lower-cased, because schemes and hosts do not depend on case.
    private struct Parts {
        let scheme: String
        let host: String
        let port: String?

        /// `80` and `443` are what a browser leaves out. Other schemes have none.
        var effectivePort: String {
            if let port = self.port { return port }
            switch self.scheme {
            case "http": return "80"
            case "https": return "443"
            default: return ""
            }
        }

        init?(_ text: some StringProtocol, wildcards: Bool) {
            let text = text.lowercased()
            let pieces = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard pieces.count == 2, Self.isScheme(pieces[0]), pieces[1].hasPrefix("//") else { return nil }
            let authority = pieces[1].dropFirst(2)
            let end: Substring.Index
            if authority.hasPrefix("[") {
                guard let bracket = authority.firstIndex(of: "]") else { return nil }
                end = authority.index(after: bracket)
            } else {
                end = authority.firstIndex(of: ":") ?? authority.endIndex
            }
            let host = authority[..<end]
            let rest = authority[end...]
            guard Parts.isHost(host, wildcards: wildcards) else { return nil }
            self.scheme = String(pieces[0])
            self.host = String(host)
            if rest.isEmpty {
                self.port = nil
            } else {
                let port = rest.dropFirst()
                let digits = !port.isEmpty && port.utf8.count <= 5 && port.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
                guard rest.hasPrefix(":"), digits || (wildcards && port == "*") else { return nil }
                self.port = String(port)
            }
        }

        /// RFC 3986, 3.1.
        private static func isScheme(_ scheme: Substring) -> Bool {
            guard let first = scheme.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else {
                return false
            }
            return scheme.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "+-.".utf8.contains(byte)
            }
        }

        /// Letters, digits, `-`, `.`, `_`; an IPv6 literal in brackets; a leading `*.` in patterns.
        private static func isHost(_ host: Substring, wildcards: Bool) -> Bool {
            var rest = host
            if rest.hasPrefix("["), rest.hasSuffix("]") {
                let inner = rest.dropFirst().dropLast()
                return !inner.isEmpty && inner.utf8.allSatisfy { "0123456789abcdef:.".utf8.contains($0) }
            }
            if wildcards, rest.hasPrefix("*.") { rest = rest.dropFirst(2) }
            return !rest.isEmpty
                && rest.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
                    default: false
                    }
                }
        }
    }
}
