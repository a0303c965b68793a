import BridgeCore

/// The paths of HTTP+SSE. They are the same everywhere, and below the path by which the service is reached from outside.
///
/// `/messages/` is the path with its slash and no other: `/messages` may be somebody else's.
struct StreamedPaths: Sendable {
    enum Kind: Equatable { case stream, messages }

    /// The path of the public URL; empty where it has none.
    private let prefix: String

    /// - Parameter publicURL: `scheme://host[:port][/path]`, without a slash at its end.
    init(publicURL: String?) {
        let afterScheme = publicURL?.utf8.firstRange(of: "://".utf8).map {
            publicURL?.utf8[$0.upperBound...] ?? "".utf8[...]
        }
        let path = afterScheme?.drop { $0 != UInt8(ascii: "/") }
        self.prefix = path.flatMap { Self.prefix(String(Substring($0))) } ?? ""
    }

    func kind(of target: String) -> Kind? {
        let path = Self.path(of: target)
        return Self.kind(path) ?? (path.hasPrefix(self.prefix) ? Self.kind(path.dropFirst(self.prefix.count)) : nil)
    }

    /// A path without what the public URL has before our own, and without its query.
    func own(_ target: String) -> Substring {
        let path = Self.path(of: target)
        guard !self.prefix.isEmpty, path.hasPrefix(self.prefix) else { return path }
        let rest = path.dropFirst(self.prefix.count)
        return rest.first == "/" ? rest : path
    }

    private static func kind(_ path: Substring) -> Kind? {
        switch path {
        case "/messages/": .messages
        case "/sse", "/sse/": .stream
        default: nil
        }
    }

    /// A path, and never a whole URL: there are clients that refuse another spelling of their own origin, and proxies that the
    /// service knows nothing of.
    func messages(of session: String, below prefix: String?) -> String {
        "\(prefix ?? self.prefix)/messages/?session_id=\(session)"
    }

    /// The session that a message is for.
    static func session(in target: String) -> String? {
        let path = Self.path(of: target)
        let query = target[path.endIndex...].dropFirst().prefix { $0 != "#" }
        let named = query.split(separator: "&").filter { $0.hasPrefix("session_id=") }
        return named.count == 1 ? named.first.map { String($0.dropFirst(11)) } : nil
    }

    private static func path(of target: String) -> Substring {
        let bytes = target.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        return Substring(bytes)
    }

    /// A prefix as it is put before our paths: nothing, or a path without a slash at its end. What a browser or a client would
    /// take for another host is none.
    static func prefix(_ text: String) -> String? {
        var path = text[...]
        while path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
        if path.isEmpty { return "" }
        let isPlain = path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !Self.refused.contains($0) }
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 256, isPlain, !path.contains("//") else {
            return nil
        }
        return String(path)
    }

    private static let refused = Array("?#\\\"<>{}|^`,".utf8)
}
