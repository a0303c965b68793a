/// Which `Host` values are ours: the defence against a web page whose name was made to resolve to this machine.
enum HostRule {
    /// On TCP a `Host` is `localhost`, a loopback address, the very address that the connection came in on, or one of the
    /// configured names. Any port is taken: a forwarded port is nobody's business.
    ///
    /// - Parameters:
    ///   - host: the header's value.
    ///   - local: this machine's end of the connection.
    ///   - names: lower-cased, without a port.
    static func admits(_ host: String, local: IPAddress?, names: Set<String>) -> Bool {
        guard let name = HostName(host)?.name else { return false }
        if name == "localhost" || names.contains(name) { return true }
        guard let address = IPAddress(name) else { return false }
        return address.isLoopback || address == local
    }
}

/// A host and its port, as they stand in `Host` and in a URL. Two that are equal are the same, however they are spelled.
struct HostName: Equatable {
    /// Lower-cased, an IPv6 literal without its brackets, one trailing dot dropped.
    let name: String
    let port: Int

    /// That of our scheme, where none is said.
    private static let standardPort = 80

    /// - Returns: nil when it is neither; a user's name before it is no part of one.
    init?(_ text: String) {
        var rest = Substring(text.lowercased())
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]"), let port = Self.port(rest[rest.index(after: end)...]) else {
                return nil
            }
            let inner = rest[rest.index(after: rest.startIndex)..<end]
            guard inner.contains(":") else { return nil }
            self.name = String(inner)
            self.port = port
            return
        }
        let colon = rest.firstIndex(of: ":") ?? rest.endIndex
        guard let port = Self.port(rest[colon...]) else { return nil }
        rest = rest[..<colon]
        if rest.hasSuffix(".") { rest = rest.dropLast() }
        guard !rest.isEmpty, rest.utf8.allSatisfy(Self.isNameByte) else { return nil }
        self.name = String(rest)
        self.port = port
    }

    /// Nothing, or `:` and up to five digits (an empty port is allowed by the grammar).
    private static func port(_ text: Substring) -> Int? {
        guard let colon = text.first else { return Self.standardPort }
        let digits = text.dropFirst()
        guard colon == ":", digits.utf8.count <= 5, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            return nil
        }
        return digits.isEmpty ? Self.standardPort : Int(digits)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"): true
        default: false
        }
    }
}
