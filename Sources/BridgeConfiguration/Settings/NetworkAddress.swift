import CNIOLinux
import NIOCore

/// Questions about addresses and host names, answered without asking the network.
package enum NetworkAddress {
    /// Whether `text` is an IPv4 or IPv6 address (no brackets, no port, no zone).
    package static func isLiteral(_ text: String) -> Bool {
        !text.contains("%") && (try? SocketAddress(ipAddress: text, port: 0)) != nil
    }

    /// `localhost` and names below it, 127.0.0.0/8, ::1 (also with brackets).
    package static func isLoopback(_ host: String) -> Bool {
        let host = self.withoutBrackets(host.lowercased())
        if host == "localhost" || host.hasSuffix(".localhost") { return true }
        // NIO spells an address in its canonical form.
        guard let address = (try? SocketAddress(ipAddress: host, port: 0))?.ipAddress else { return false }
        return address == "::1" || address.hasPrefix("127.") || address.hasPrefix("::ffff:127.")
    }

    /// An address, or an address and a prefix length: `10.0.0.0/8`.
    package static func isBlock(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard let address = parts.first, self.isLiteral(address) else { return false }
        switch parts.count {
        case 1: return true
        case 2:
            guard let length = Int(parts[1]), !parts[1].hasPrefix("+") else { return false }
            return (0...(address.contains(":") ? 128 : 32)).contains(length)
        default: return false
        }
    }

    /// Whether a host is an address, and that of a block, or the one address that stands in its place.
    static func contains(block: String, _ host: String) -> Bool {
        let parts = block.split(separator: "/", maxSplits: 1).map(String.init)
        guard self.isBlock(block), self.isLiteral(host), let first = self.octets(parts[0]),
            let other = self.octets(host),
            first.count == other.count
        else { return false }
        let bits = parts.count > 1 ? Int(parts[1]) ?? 0 : first.count * 8
        return zip(first, other).enumerated().allSatisfy { index, pair in
            let kept = min(max(bits - index * 8, 0), 8)
            let mask = kept == 0 ? 0 : UInt8(truncatingIfNeeded: 0xFF << (8 - kept))
            return pair.0 & mask == pair.1 & mask
        }
    }

    private static func octets(_ address: String) -> [UInt8]? {
        switch try? SocketAddress(ipAddress: address, port: 0) {
        case .v4(let address): withUnsafeBytes(of: address.address.sin_addr) { Array($0) }
        case .v6(let address): withUnsafeBytes(of: address.address.sin6_addr) { Array($0) }
        default: nil
        }
    }

    static func withoutBrackets(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// A DNS name: labels of letters, digits, `-` and `_`, with dots between.
    static func isHostName(_ host: String) -> Bool {
        let labels = host.split(separator: ".", omittingEmptySubsequences: false)
        return host.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count)
                    && label.utf8.allSatisfy { byte in
                        (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D
                            || byte == 0x5F
                    }
            }
    }
}
