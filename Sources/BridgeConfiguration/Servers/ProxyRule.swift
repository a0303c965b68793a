import BridgeCore

/// Which proxy a server is reached through, by the variables that other programs go by, too (curl's page has the most of
/// what is known of them). Pure.
struct ProxyRule {
    enum Verdict: Equatable {
        case direct
        case proxy(RemoteTarget.Proxy)
        /// What the variable of this name holds is no proxy that can be used.
        case unknown(variable: String)
    }

    static func complaint(about variable: String) -> String { "the proxy that \(variable) names cannot be used." }
    static let remedy = "It begins with 'http://' or 'socks5://'; a password is possible only for the former."

    /// Every variable that is looked at, in small letters.
    static let variables: Set<String> = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]

    /// Of the server's own entry; `nil` takes a variable away.
    private let entry: [String: String?]
    private let service: [String: String]

    init(entry: [String: String?], service: [String: String]) {
        self.entry = entry
        self.service = service
    }

    /// The server at this address.
    func verdict(on url: String) -> Verdict {
        guard let server = Address(url), !NetworkAddress.isLoopback(server.host) else { return .direct }
        let names = server.scheme == "https" ? ["https_proxy", "all_proxy"] : ["http_proxy", "all_proxy"]
        guard let (name, value) = names.lazy.compactMap(self.variable).first, !value.isEmpty else { return .direct }
        if let exceptions = self.variable("no_proxy")?.value, Self.isExcepted(server, by: exceptions) { return .direct }
        guard let proxy = Self.proxy(value) else { return .unknown(variable: name) }
        return .proxy(proxy)
    }

    /// A variable in small letters, or else in large ones; what the entry says wins.
    private func variable(_ name: String) -> (name: String, value: String)? {
        for spelling in [name, name.uppercased()] {
            if let own = self.entry[spelling] { return (spelling, own ?? "") }
        }
        for spelling in [name, name.uppercased()] {
            if let value = self.service[spelling] { return (spelling, value) }
        }
        return nil
    }

    /// Names, which stand for all below them, addresses and blocks of them, each perhaps with a port; `*` is everything.
    private static func isExcepted(_ server: Address, by list: String) -> Bool {
        list.split { $0 == "," || $0 == " " }.contains { entry in
            if entry == "*" { return true }
            let text = entry.lowercased()
            if NetworkAddress.contains(block: text, server.host) { return true }
            guard let named = Address("//" + text), named.port == nil || named.port == server.port else { return false }
            let name = named.host.hasPrefix("*.") ? String(named.host.dropFirst(2)) : named.host
            let suffix = name.hasPrefix(".") ? name : "." + name
            return server.host == suffix.dropFirst() || server.host.hasSuffix(suffix)
        }
    }

    private static func proxy(_ text: String) -> RemoteTarget.Proxy? {
        guard let address = Address(text.contains("://") ? text : "http://" + text), !address.host.isEmpty else {
            return nil
        }
        let kind: RemoteTarget.Proxy.Kind
        let port: Int
        switch address.scheme {
        case "http": (kind, port) = (.http, 80)
        case "socks5", "socks5h": (kind, port) = (.socks, 1_080)
        default: return nil
        }
        // Nothing here can sign in to a SOCKS proxy.
        if kind == .socks, address.user != nil { return nil }
        return RemoteTarget.Proxy(
            kind, host: address.host, port: address.port ?? port, user: address.user,
            password: address.password.map { Secret($0) })
    }
}

extension ProxyRule {
    /// The parts of an address that matter here.
    private struct Address {
        var scheme = ""
        var user: String?
        var password: String?
        /// In small letters, without brackets.
        let host: String
        /// The scheme's own where there is one and none is written.
        var port: Int?

        init?(_ text: String) {
            guard let slashes = text.firstRange(of: "//") else { return nil }
            self.scheme = String(text[..<slashes.lowerBound].dropLast()).lowercased()
            var rest = text[slashes.upperBound...].prefix { !"/?#".contains($0) }
            if let at = rest.lastIndex(of: "@") {
                let pair = rest[..<at].split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                self.user = pair.first.map { PercentCoding.decode(String($0)) ?? String($0) }
                self.password = pair.count > 1 ? PercentCoding.decode(String(pair[1])) ?? String(pair[1]) : nil
                rest = rest[rest.index(after: at)...]
            }
            self.port = self.scheme == "https" ? 443 : self.scheme == "http" ? 80 : nil
            let isBare = rest.count(where: { $0 == ":" }) > 1 && !rest.hasPrefix("[")
            if !isBare, let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("]") {
                guard let port = Int(rest[rest.index(after: colon)...]), (1...65_535).contains(port) else { return nil }
                self.port = port
                rest = rest[..<colon]
            }
            self.host = NetworkAddress.withoutBrackets(rest.lowercased())
        }
    }
}
