package import NIOCore
package import NIOHTTP1

/// An MCP endpoint, and what every request to it carries (basic/transports, "Streamable HTTP").
package struct MCPDestination: Sendable {
    package var address: HTTPAddress
    /// The user's own.
    package var headers: HTTPHeaders
    package var session: String?
    /// The revision that was agreed upon, as it is spelled in the header; `nil` until then.
    package var revision: String?
    package var limits: TransferLimits

    package init(_ address: HTTPAddress, headers: HTTPHeaders = [:], limits: TransferLimits = TransferLimits()) {
        self.address = address
        self.headers = headers
        self.limits = limits
    }

    /// Sends one message.
    package func post(_ message: ByteBuffer) -> HTTPRequest {
        var request = self.request(.POST, accepting: "application/json, text/event-stream")
        request.headers.replaceOrAdd(name: "Content-Type", value: "application/json")
        request.body = message
        return request
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
