/// An `http` or `https` URL in its parts, each as it was written: nothing is added or dropped, since issuers are compared
/// byte for byte.
package struct WebAddress: Sendable, Hashable {
    package let text: String
    /// In lower case.
    package let scheme: String
    /// In lower case, brackets included.
    package let host: String
    /// The scheme's own where none is written.
    package let port: Int
    package let path: String
    package let query: String?
    package let fragment: String?
    package let hasUserInfo: Bool

    /// - Returns: nil for another scheme, without a host, and with blanks or control characters, which no URL has.
    package init?(_ text: String) {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) }),
            let mark = text.firstRange(of: "://")
        else { return nil }
        let scheme = text[..<mark.lowerBound].lowercased()
        guard scheme == "http" || scheme == "https" else { return nil }
        var rest = text[mark.upperBound...]
        let authority = rest.prefix { !"/?#".contains($0) }
        rest = rest[authority.endIndex...]
        self.path = String(rest.prefix { $0 != "?" && $0 != "#" })
        rest = rest.dropFirst(self.path.count)
        self.query = rest.first == "?" ? String(rest.dropFirst().prefix { $0 != "#" }) : nil
        self.fragment = rest.firstIndex(of: "#").map { String(rest[rest.index(after: $0)...]) }
        var place = authority
        if let at = authority.lastIndex(of: "@") { place = authority[authority.index(after: at)...] }
        self.hasUserInfo = place.startIndex != authority.startIndex
        guard let (host, port) = Self.split(place, scheme: scheme) else { return nil }
        self.text = text
        self.scheme = scheme
        self.host = host
        self.port = port
    }

    private static func split(_ place: Substring, scheme: String) -> (host: String, port: Int)? {
        let standard = scheme == "https" ? 443 : 80
        let hostEnd = place.hasPrefix("[") ? place.firstIndex(of: "]").map { place.index(after: $0) } : nil
        let end = hostEnd ?? place.firstIndex(of: ":") ?? place.endIndex
        let host = place[..<end].lowercased()
        let rest = place[end...]
        guard !host.isEmpty, host != "[]", place.hasPrefix("[") == (hostEnd != nil) else { return nil }
        if rest.isEmpty || rest == ":" { return (host, standard) }
        guard rest.hasPrefix(":"), let port = Int(rest.dropFirst()), (1...65_535).contains(port) else { return nil }
        return (host, port)
    }

    /// `https://example.com`, with the port where it is not the scheme's own.
    package var origin: String {
        let isStandard = self.port == (self.scheme == "https" ? 443 : 80)
        return "\(self.scheme)://\(self.host)\(isStandard ? "" : ":\(self.port)")"
    }

    package func isSameOrigin(as other: WebAddress) -> Bool {
        self.scheme == other.scheme && self.host == other.host && self.port == other.port
    }

    /// Whether it is this machine.
    package var isLoopback: Bool {
        if self.host == "localhost" || self.host == "[::1]" { return true }
        let parts = self.host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    /// Whether what is secret may go there: over TLS, or to this machine.
    package var isSafe: Bool { self.scheme == "https" || self.isLoopback }

    /// Without the query, which may be secret.
    package var shown: String { self.origin + self.path }
}
