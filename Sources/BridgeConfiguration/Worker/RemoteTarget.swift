/// An upstream that is reached over HTTP.
package struct RemoteTarget: Sendable, Hashable, Codable {
    package enum Dialect: String, Sendable, Hashable, Codable, CaseIterable {
        /// Streamable HTTP is tried first, then SSE.
        case probe
        case streamableHTTP = "streamable-http"
        case sse
    }

    /// What connections go through.
    package struct Proxy: Sendable, Hashable, Codable {
        package enum Kind: String, Sendable, Hashable, Codable { case http, socks }

        package var kind: Kind
        package var host: String
        package var port: Int
        package var user: String?
        package var password: Secret?

        package init(_ kind: Kind, host: String, port: Int, user: String? = nil, password: Secret? = nil) {
            self.kind = kind
            self.host = host
            self.port = port
            self.user = user
            self.password = password
        }
    }

    /// Can hold an expanded credential.
    package var url: Secret
    package var headers: [String: Secret]
    package var dialect: Dialect
    package var proxy: Proxy?
    /// A PEM file of who is trusted to say who the server is, beside those whom the system trusts.
    package var authorities: String?
    /// Whether anybody is believed to be the server: on this machine only.
    package var trustsAnybody = false

    package init(url: Secret, headers: [String: Secret] = [:], dialect: Dialect = .probe) {
        self.url = url
        self.headers = headers
        self.dialect = dialect
    }
}
