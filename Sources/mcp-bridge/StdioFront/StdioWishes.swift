import BridgeCore
import NIOCore

/// What the client has asked of its session, for a session that is opened in its place.
struct StdioWishes {
    /// Bytes of URIs; what is beyond is not asked for again.
    private static let limit = 64 << 10

    private var level: String?
    private var topics: [String] = []

    /// The bridge has done what this request asks.
    mutating func granted(_ request: StdioMessage.Request) {
        guard let subject = request.subject else { return }
        switch request.method {
        case "logging/setLevel": self.level = subject
        case "resources/subscribe":
            let octets = self.topics.reduce(subject.utf8.count) { $0 + $1.utf8.count }
            if octets <= Self.limit, !self.topics.contains(subject) { self.topics.append(subject) }
        case "resources/unsubscribe": self.topics.removeAll { $0 == subject }
        default: break
        }
    }

    /// The requests that ask for all of it again, with ids of our own.
    var requests: [ByteBuffer] {
        let level = self.level.map { [("logging/setLevel", "level", $0)] } ?? []
        let wishes = level + self.topics.map { ("resources/subscribe", "uri", $0) }
        return wishes.enumerated().map { number, wish in
            JSONWriter.object { request in
                request.member("jsonrpc", "2.0")
                request.member("id", "mcp-bridge-stdio-\(number)")
                request.member("method", wish.0)
                request.memberObject("params") { $0.member(wish.1, wish.2) }
            }.bytes
        }
    }
}
