import AsyncHTTPClient

/// A proxy that connections go through. Every way of printing it leaves user and password out.
package struct HTTPProxy: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package enum Kind: Sendable { case http, socks }

    let kind: Kind
    let host: String
    let port: Int
    private let user: String?
    private let password: String?

    /// - Parameter user: only for a proxy of kind `http`.
    package init(_ kind: Kind, host: String, port: Int, user: String? = nil, password: String? = nil) {
        self.kind = kind
        self.host = host
        self.port = port
        self.user = user
        self.password = password
    }

    var library: HTTPClient.Configuration.Proxy {
        switch self.kind {
        case .socks: .socksServer(host: self.host, port: self.port)
        case .http:
            .server(
                host: self.host, port: self.port,
                authorization: self.user.map { .basic(username: $0, password: self.password ?? "") })
        }
    }

    package var description: String { "\(self.host.contains(":") ? "[\(self.host)]" : self.host):\(self.port)" }
    package var debugDescription: String { self.description }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}
