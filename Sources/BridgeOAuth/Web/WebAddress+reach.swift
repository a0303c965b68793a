import Glibc

/// From how near an address can be reached, as far as it says so itself.
extension WebAddress {
    /// The nearer come first.
    enum Reach: Int, Comparable {
        case machine, network, world

        static func < (one: Reach, other: Reach) -> Bool { one.rawValue < other.rawValue }
    }

    /// Names of a network of one's own (RFC 6762, RFC 8375, and what routers hand out).
    private static let networkEndings = [".local", ".internal", ".lan", ".home", ".home.arpa", ".intranet", ".corp"]

    var reach: Reach {
        var name = self.host.hasPrefix("[") ? String(self.host.dropFirst().dropLast()) : self.host
        if name.hasSuffix(".") { name.removeLast() }
        if let octets = Self.octets(of: name) { return Self.reach(octets[...]) }
        if name == "localhost" || name.hasSuffix(".localhost") || name.contains(":") { return .machine }
        let last = name.split(separator: ".").last ?? ""
        // What resolvers make an address of, such as `127.1` and `0x7f000001`.
        if last.hasPrefix("0x") || last.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return .machine }
        return name.contains(".") && !Self.networkEndings.contains(where: { name.hasSuffix($0) }) ? .world : .network
    }

    /// - Returns: 4 or 16; nil where it is no address.
    private static func octets(of text: String) -> [UInt8]? {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 { return withUnsafeBytes(of: v4) { Array($0) } }
        if inet_pton(AF_INET6, text, &v6) == 1 { return withUnsafeBytes(of: v6) { Array($0) } }
        return nil
    }

    private static func reach(_ octets: ArraySlice<UInt8>) -> Reach {
        let octets = Array(octets)
        guard octets.count == 16 else {
            switch (octets[0], octets[1]) {
            case (0, _), (127, _): return .machine
            case (10, _), (100, 64...127), (169, 254), (172, 16...31), (192, 168), (198, 18...19), (224..., _):
                return .network
            case (192, 0) where octets[2] == 0: return .network
            default: return .world
            }
        }
        let isZero = { (range: Range<Int>) in octets[range].allSatisfy { $0 == 0 } }
        if isZero(0..<15), octets[15] <= 1 { return .machine }
        // IPv4 in IPv6: compatible and mapped, NAT64, 6to4.
        if isZero(0..<10), isZero(10..<12) || (octets[10] == 0xFF && octets[11] == 0xFF) {
            return Self.reach(octets[12...])
        }
        if octets.starts(with: [0, 0x64, 0xFF, 0x9B]), isZero(4..<12) { return Self.reach(octets[12...]) }
        if octets.starts(with: [0x20, 0x02]) { return Self.reach(octets[2..<6]) }
        // Teredo, and all but what is routed.
        if octets.starts(with: [0x20, 0x01, 0, 0]) { return .network }
        return octets[0] & 0xE0 == 0x20 ? .world : .network
    }
}
