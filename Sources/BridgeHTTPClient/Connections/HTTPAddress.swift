import AsyncHTTPClient
import FoundationEssentials

/// Where a request goes: a URL, or a path of a server behind a Unix socket.
package struct HTTPAddress: Sendable, Hashable, CustomStringConvertible {
    /// What must be the same for one address to stand in for another (RFC 6454).
    struct Origin: Sendable, Hashable {
        let scheme: String
        /// In lower case; the path of a Unix socket.
        let host: String
        /// The scheme's own where none is written; 0 for a Unix socket.
        let port: Int
    }

    let url: URL
    let origin: Origin
    /// What is asked for, as requests write it.
    let target: String
    /// What requests name as their host.
    let hostField: String

    /// - Returns: `nil` when it is no `http` or `https` URL with a host.
    package init?(_ text: String) {
        guard let url = URL(string: text) else { return nil }
        self.init(url)
        if self.isSocket { return nil }
    }

    /// - Parameter target: the path and query that the server is asked for.
    package init?(socket path: String, target: String = "/") {
        guard !path.isEmpty, let url = URL(httpURLWithSocketPath: path, uri: target) else { return nil }
        self.init(url)
    }

    private init?(_ url: URL) {
        guard let scheme = url.scheme?.lowercased(), let host = url.host, !host.isEmpty else { return nil }
        switch scheme {
        case "http": self.origin = Origin(scheme: scheme, host: host.lowercased(), port: url.port ?? 80)
        case "https": self.origin = Origin(scheme: scheme, host: host.lowercased(), port: url.port ?? 443)
        case "http+unix": self.origin = Origin(scheme: scheme, host: host, port: 0)
        default: return nil
        }
        self.url = url
        let path = URLComponents(url: url, resolvingAgainstBaseURL: true)?.percentEncodedPath ?? ""
        self.target = (path.isEmpty ? "/" : path) + (url.query.map { "?\($0)" } ?? "")
        self.hostField = self.origin.isSocket ? "localhost" : self.origin.authority
    }

    /// What a reference in a response to this address means (RFC 3986, section 5).
    package func resolving(_ reference: String) -> HTTPAddress? {
        URL(string: reference, relativeTo: self.url).flatMap { HTTPAddress($0.absoluteURL) }
    }

    /// Whether what is meant for the one may go to the other. From http to https of the same host, with both at their
    /// standard ports, counts: it is how a server says that it has TLS.
    package func isSameServer(as other: HTTPAddress) -> Bool {
        let (one, two) = (self.origin, other.origin)
        if one == two { return true }
        return one.scheme == "http" && two.scheme == "https" && one.host == two.host && one.port == 80
            && two.port == 443
    }

    /// The same path and query, below the folder of another address; `nil` where it is below it already.
    package func moved(belowFolderOf other: HTTPAddress) -> HTTPAddress? {
        guard let slash = other.url.path.lastIndex(of: "/") else { return nil }
        let folder = String(other.url.path[..<slash])
        guard !folder.isEmpty, !self.url.path.hasPrefix(folder + "/") else { return nil }
        let query = self.url.query.map { "?\($0)" } ?? ""
        return other.resolving(folder + self.url.path + query)
    }

    /// Whether a Unix socket is at the other end.
    package var isSocket: Bool { self.origin.isSocket }
    /// Whether what is said goes there as it is.
    var isPlain: Bool { self.origin.scheme != "https" }

    /// Parts of the path that look like keys: some services know their users by the address alone.
    package var secretSegments: [String] {
        Set([self.writtenPath, self.url.path]).flatMap {
            $0.split(separator: "/").filter(Self.isSecret).map(String.init)
        }
    }

    /// As it is written.
    private var writtenPath: String { self.url.path.isEmpty ? "" : String(self.target.prefix { $0 != "?" }) }

    /// Whether it is long and random, as far as that can be told, or the value of a parameter. A name that is hidden for
    /// nothing costs less than a key that is not.
    private static func isSecret(_ segment: Substring) -> Bool {
        if segment.contains("=") { return true }
        guard segment.utf8.count >= 16 else { return false }
        if segment.utf8.contains(where: { (0x30...0x39).contains($0) }) { return true }
        return segment.utf8.count >= 24 && !segment.contains { "-_.~".contains($0) }
    }

    private var shownPath: String {
        self.writtenPath.split(separator: "/", omittingEmptySubsequences: false)
            .map { Self.isSecret($0) ? "***" : $0 }.joined(separator: "/")
    }

    /// Without what may be secret: user, password, query, and parts of the path that look like keys.
    package var description: String {
        if self.isSocket { return self.origin.host }
        return "\(self.origin.scheme)://\(self.origin.authority)\(self.shownPath)"
    }
}

extension HTTPAddress.Origin {
    /// Host and port, as addresses have them.
    fileprivate var authority: String {
        let isStandard = self.port == (self.scheme == "http" ? 80 : 443)
        let isBare = self.host.contains(":") && !self.host.hasPrefix("[")
        return (isBare ? "[\(self.host)]" : self.host) + (isStandard ? "" : ":\(self.port)")
    }
}

extension HTTPAddress {
    /// Scheme, host and port are the same.
    package func isSameOrigin(as other: HTTPAddress) -> Bool { self.origin == other.origin }

    package var path: String { self.url.path }

    /// Whether nobody between here and there can read what is sent: TLS, or this machine.
    package var isPrivateToSend: Bool {
        self.origin.scheme == "https" || self.isSocket
            || ["127.0.0.1", "localhost", "::1", "[::1]"].contains(self.origin.host)
    }

    /// The same without its query.
    package var withoutQuery: HTTPAddress? {
        HTTPAddress(String(self.url.absoluteString.prefix { $0 != "?" && $0 != "#" }))
    }
}
