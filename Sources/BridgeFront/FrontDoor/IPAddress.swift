import Glibc
import NIOCore

/// An IP address; IPv4 and its IPv4-mapped IPv6 form are the same address.
struct IPAddress: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    private static let mapped: UInt64 = 0x0000_ffff_0000_0000

    private init(v4: UInt32) {
        self.high = 0
        self.low = Self.mapped | UInt64(v4)
    }

    private init(v6: in6_addr) {
        let words = withUnsafeBytes(of: v6) { bytes in
            (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        self.high = UInt64(bigEndian: words.0)
        self.low = UInt64(bigEndian: words.1)
    }

    /// A literal as `inet_pton` reads it: dotted quad or IPv6, no brackets, no zone, no shorthand such as `127.1`.
    init?(_ text: some StringProtocol) {
        let text = String(text)
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(v6: v6)
        } else {
            return nil
        }
    }

    init?(_ address: SocketAddress) {
        guard let text = address.ipAddress else { return nil }
        self.init(text)
    }

    /// Whether the first bits, of 128, are those of another address.
    func begins(as other: IPAddress, bits: Int) -> Bool {
        func differs(_ left: UInt64, _ right: UInt64, _ bits: Int) -> Bool {
            bits > 0 && (left ^ right) >> UInt64(64 - min(bits, 64)) != 0
        }
        return !differs(self.high, other.high, bits) && !differs(self.low, other.low, bits - 64)
    }

    /// 127.0.0.0/8 or ::1.
    var isLoopback: Bool {
        guard self.high == 0 else { return false }
        if self.low == 1 { return true }
        return self.low & 0xffff_ffff_ff00_0000 == Self.mapped | 0x7f00_0000
    }
}
