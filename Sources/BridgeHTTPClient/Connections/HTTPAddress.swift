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
    package var isSocket: Bool { self.origin.scheme == "http+unix" }

    /// Without what may be secret: user, password, query.
    package var description: String {
        if self.isSocket { return self.origin.host }
        let isStandard = self.origin.port == (self.origin.scheme == "http" ? 80 : 443)
        let isBare = self.origin.host.contains(":") && !self.origin.host.hasPrefix("[")
        let host = isBare ? "[\(self.origin.host)]" : self.origin.host
        return "\(self.origin.scheme)://\(host)\(isStandard ? "" : ":\(self.origin.port)")\(self.url.path)"
    }
}
