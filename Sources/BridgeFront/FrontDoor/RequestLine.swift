import NIOHTTP1

/// The first line of a request, as far as the door and the routes go by it.
struct RequestLine: Sendable, Equatable {
    var method: HTTPMethod
    var target: RequestTarget
    /// Only these may come without a `Host` (RFC 9112, section 3.2).
    var isHTTP10: Bool

    init(_ method: HTTPMethod, _ target: RequestTarget, isHTTP10: Bool = false) {
        self.method = method
        self.target = target
        self.isHTTP10 = isHTTP10
    }

    init(_ head: HTTPRequestHead) {
        self.init(head.method, RequestTarget(head.uri), isHTTP10: head.version.major == 1 && head.version.minor == 0)
    }
}

/// What a request asks for (RFC 9112, section 3.2).
enum RequestTarget: Sendable, Equatable {
    /// A path, with its query. What begins with a slash is nothing else, two slashes included.
    case path(String)
    /// A whole URL of our own scheme, as clients send it that take the service for a proxy. Its authority counts as
    /// `Host` does; it is not yet known to be one.
    case url(authority: String, path: String)
    /// `*`: the service as a whole.
    case service
    /// Another scheme, or what no scheme begins.
    case foreign

    init(_ text: String) {
        if text.utf8.first == UInt8(ascii: "/") {
            self = .path(text)
        } else if text.begins(with: "http://") {
            let rest = text.utf8.dropFirst(7)
            let authority = rest.prefix { !Self.endsAuthority($0) }
            let path = String(Substring(rest[authority.endIndex...]))
            self = .url(
                authority: String(Substring(authority)),
                path: path.utf8.first == UInt8(ascii: "/") ? path : "/" + path)
        } else {
            self = text == "*" ? .service : .foreign
        }
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    /// The path with its query, where there is one.
    var path: String? {
        switch self {
        case .path(let path), .url(_, let path): path
        case .service, .foreign: nil
        }
    }
}
