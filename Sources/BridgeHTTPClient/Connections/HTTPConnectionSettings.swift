package import NIOCore

/// How connections are made and kept.
package struct HTTPConnectionSettings: Sendable {
    /// For everything until a request can be written: name, TCP, TLS.
    package var connectTimeout: TimeAmount = .seconds(30)
    /// How long a connection that nobody uses is kept: less than servers keep theirs (5 s is the shortest usual time), so
    /// that a request seldom meets one that is being closed.
    package var idleTimeout: TimeAmount = .seconds(4)
    /// Beyond this many to one host, requests wait for each other. An open stream keeps its connection.
    package var connectionsPerHost = 1_024
    /// How many times larger than what came a body may become by unpacking it; 0 leaves bodies packed.
    package var maximumInflation = 100
    /// Whom a TLS connection is believed.
    package var trust = HTTPTrust.system
    /// What every connection goes through.
    package var proxy: HTTPProxy?

    /// Whether plain HTTP without a proxy goes over connections of our own, and not the library's.
    package var isDirect = true

    package init() {}
}
