/// An upstream that is reached over HTTP.
package struct RemoteTarget: Sendable, Hashable, Codable {
    package enum Dialect: String, Sendable, Hashable, Codable, CaseIterable {
        /// Streamable HTTP is tried first, then SSE.
        case probe
        case streamableHTTP = "streamable-http"
        case sse
    }

    /// Can hold an expanded credential.
    package var url: Secret
    package var headers: [String: Secret]
    package var dialect: Dialect

    package init(url: Secret, headers: [String: Secret] = [:], dialect: Dialect = .probe) {
        self.url = url
        self.headers = headers
        self.dialect = dialect
    }
}
