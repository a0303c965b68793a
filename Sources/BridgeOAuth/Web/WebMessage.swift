package import NIOCore

/// A request that is to be made. Whoever makes it follows no redirect of a POST, and three of a GET within its origin.
package struct WebRequest: Sendable, Equatable {
    package enum Method: String, Sendable { case get = "GET", post = "POST" }

    package var method: Method
    package var url: String
    package var headers: [WebHeader]
    package var body: String?
    /// In seconds.
    package var limit: Int
    /// Of the answer's body, in bytes.
    package var maximumBody: Int

    init(
        _ method: Method, _ url: String, headers: [WebHeader] = [], body: String? = nil, limit: Int = 10,
        maximumBody: Int = 256 << 10
    ) {
        self.method = method
        self.url = url
        // Some pack discovery without being asked to, and are not unpacked by everybody.
        self.headers = [WebHeader("Accept", "application/json"), WebHeader("Accept-Encoding", "identity")] + headers
        self.body = body
        self.limit = limit
        self.maximumBody = maximumBody
    }
}

package struct WebHeader: Sendable, Hashable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What came of a request.
package enum WebAnswer: Sendable, Equatable {
    case reply(WebReply)
    /// There is no answer, or not all of it.
    ///
    /// - Parameter sent: whether the server may have acted on the request.
    case failed(String, sent: Bool)
}

package struct WebReply: Sendable, Equatable {
    package var status: Int
    package var headers: [WebHeader]
    package var body: ByteBuffer

    package init(status: Int, headers: [WebHeader] = [], body: ByteBuffer) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Whether its status says that it went well.
    var isGood: Bool { (200..<300).contains(self.status) }

    package func header(_ name: String) -> String? { self.all(name).first }

    package func all(_ name: String) -> [String] {
        self.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}
