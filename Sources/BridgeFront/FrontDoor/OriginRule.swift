import BridgeCore

/// What an `Origin` header means for a request.
enum OriginRule: Equatable {
    /// No page is asking: not a browser, or a request that a browser makes without one.
    case absent
    /// A page of this machine's own, on the allowlist.
    case loopback
    /// A remote page on the allowlist. It may ask; whether it may act is for a token to say.
    case remote
    /// `null`, malformed, or not on the allowlist.
    case refused

    init(_ origin: String?, allowed: (String) -> Bool) {
        guard let origin else {
            self = .absent
            return
        }
        guard origin != "null", allowed(origin) else {
            self = .refused
            return
        }
        self = Self.isLoopback(origin) ? .loopback : .remote
    }

    /// Whether the host of `scheme://host[:port]` is `localhost` or a loopback address.
    static func isLoopback(_ origin: String) -> Bool {
        guard let slashes = origin.firstIndex(of: "/") else { return false }
        let rest = origin[slashes...]
        guard rest.hasPrefix("//"), let name = HostName(String(rest.dropFirst(2)))?.name else { return false }
        return name == "localhost" || IPAddress(name)?.isLoopback == true
    }
}
