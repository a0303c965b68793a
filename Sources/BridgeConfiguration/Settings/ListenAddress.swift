/// Where the service accepts connections when systemd has passed it no sockets.
package enum ListenAddress: Sendable, Hashable {
    /// `host` is an IP address without brackets; port 0 lets the kernel choose.
    case tcp(host: String, port: Int)
    case unix(path: String)

    package static let standard = ListenAddress.tcp(host: "127.0.0.1", port: 8_769)

    /// `127.0.0.1:8769`, `[::1]:8769`, `localhost:8769`, `8769` (on loopback) or `unix:/path`.
    package init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            guard path.hasPrefix("/"), path.utf8.count < 108 else { return nil }
            self = .unix(path: path)
            return
        }
        if let port = Self.port(text) {
            self = .tcp(host: "127.0.0.1", port: port)
            return
        }
        guard let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]) else {
            return nil
        }
        let written = String(text[..<colon])
        guard written.hasPrefix("[") || !written.contains(":"), let host = Self.host(written) else { return nil }
        self = .tcp(host: host, port: port)
    }

    /// An IP address, with or without brackets, or `localhost`; `nil` for anything that would need a resolver.
    package static func host(_ text: String) -> String? {
        if text.lowercased() == "localhost" { return "127.0.0.1" }
        let host = NetworkAddress.withoutBrackets(text)
        return NetworkAddress.isLiteral(host) ? host : nil
    }

    static func port(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(text) else {
            return nil
        }
        return (0...65_535).contains(port) ? port : nil
    }

    package var isLoopback: Bool {
        switch self {
        case .tcp(let host, _): NetworkAddress.isLoopback(host)
        case .unix: true
        }
    }
}

extension ListenAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
