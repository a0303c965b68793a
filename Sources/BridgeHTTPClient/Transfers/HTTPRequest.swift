package import NIOCore
package import NIOHTTP1

/// One request as it is to be sent, `Host` and `Content-Length` aside.
package struct HTTPRequest: Sendable {
    package var method: HTTPMethod
    package var address: HTTPAddress
    package var headers: HTTPHeaders
    package var body: ByteBuffer?
    package var limits: TransferLimits
    /// How many redirects in a row are followed, within the origin. With none, a redirect is an answer like any other.
    package var mostRedirects = RedirectRule.most

    package init(
        _ method: HTTPMethod, _ address: HTTPAddress, headers: HTTPHeaders = [:], body: ByteBuffer? = nil,
        limits: TransferLimits = TransferLimits()
    ) {
        self.method = method
        self.address = address
        self.headers = headers
        self.body = body
        self.limits = limits
    }
}

/// How long an answer may take. None is given: as long as it likes.
package struct TransferLimits: Sendable, Hashable {
    /// From the start to the last byte, redirects included.
    package var total: TimeAmount?
    /// Between two pieces of the body, and from its head to the first. Time does not count while the receiver does not
    /// read.
    package var idle: TimeAmount?

    package init(total: TimeAmount? = nil, idle: TimeAmount? = nil) {
        self.total = total
        self.idle = idle
    }
}
