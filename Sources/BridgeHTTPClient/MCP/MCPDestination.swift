package import NIOCore
package import NIOHTTP1

/// An MCP endpoint, and what every request to it carries (basic/transports, "Streamable HTTP").
package struct MCPDestination: Sendable {
    package var address: HTTPAddress
    /// The user's own.
    package var headers: HTTPHeaders { didSet { self.ready = nil } }
    package var session: String? { didSet { self.ready = nil } }
    /// The revision that was agreed upon, as it is spelled in the header; `nil` until then.
    package var revision: String? { didSet { self.ready = nil } }
    package var limits: TransferLimits
    /// The headers of a message: they are the same for one after the other.
    private var ready: HTTPHeaders?

    package init(_ address: HTTPAddress, headers: HTTPHeaders = [:], limits: TransferLimits = TransferLimits()) {
        self.address = address
        self.headers = headers
        self.limits = limits
    }

    /// Sends one message.
    package func post(_ message: ByteBuffer) -> HTTPRequest {
        HTTPRequest(
            .POST, self.address, headers: self.ready ?? self.headersOfMessage, body: message, limits: self.limits)
    }

    /// Puts together once what all messages have in common.
    package mutating func prepare() { self.ready = self.headersOfMessage }

    private var headersOfMessage: HTTPHeaders {
        var headers = self.request(.POST, accepting: "application/json, text/event-stream").headers
        headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        return headers
    }

    /// Opens the stream of what the server says by itself.
    ///
    /// - Parameter lastEventID: to go on behind that event, on whichever stream it came.
    package func listen(after lastEventID: String? = nil) -> HTTPRequest {
        var request = self.request(.GET, accepting: "text/event-stream")
        if let lastEventID { request.headers.replaceOrAdd(name: "Last-Event-ID", value: lastEventID) }
        return request
    }

    /// Ends the session.
    package func delete() -> HTTPRequest { self.request(.DELETE, accepting: nil) }

    private func request(_ method: HTTPMethod, accepting types: String?) -> HTTPRequest {
        var headers = self.headers
        if let types { headers.replaceOrAdd(name: "Accept", value: types) }
        // Some packers hold events back.
        headers.replaceOrAdd(name: "Accept-Encoding", value: "identity")
        if let session { headers.replaceOrAdd(name: "Mcp-Session-Id", value: session) }
        if let revision { headers.replaceOrAdd(name: "MCP-Protocol-Version", value: revision) }
        return HTTPRequest(method, self.address, headers: headers, limits: self.limits)
    }
}
